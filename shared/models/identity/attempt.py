from datetime import datetime

from sqlalchemy.orm import Mapped, mapped_column

from shared.models.identity.meta import IdentityBase


class Attempt(IdentityBase):
    """Passwords tried in vain for one account, known or not, since the last that was right."""

    __tablename__ = "attempts"

    account: Mapped[bytes] = mapped_column(primary_key=True)
    """An HMAC of it: whoever reads the table learns no name that was tried."""
    failures: Mapped[int]
    last_at: Mapped[datetime] = mapped_column(index=True)
    blocked_until: Mapped[datetime]
    refusal_told_at: Mapped[datetime | None]
    """When the audit trail was told that the account is blocked: once a block, however many are refused."""
