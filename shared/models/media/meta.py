from typing import Any

from shared.models.base import Base

SCHEMA = "media"


class MediaBase(Base):
    __abstract__ = True
    __table_args__: Any = {"schema": SCHEMA}
