from datetime import datetime
from uuid import UUID

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from shared.models.identity.meta import IdentityBase


class User(IdentityBase):
    __tablename__ = "users"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    username: Mapped[str]
    """As it was chosen, NFKC."""
    username_folded: Mapped[str] = mapped_column(unique=True)
    """Case-folded: two names that differ by case alone are one user's."""
    password_hash: Mapped[str]
    """argon2id, with its parameters and salt; the only form in which a password is stored."""
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    disabled_at: Mapped[datetime | None]
    """Since when an operator keeps the user from signing in; a disabled user has no live session."""
