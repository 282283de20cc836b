from typing import Any

from shared.models.base import Base

SCHEMA = "identity"


class IdentityBase(Base):
    __abstract__ = True
    __table_args__: Any = {"schema": SCHEMA}
