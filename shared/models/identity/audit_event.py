from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

from sqlalchemy import BigInteger, Identity, Index, func
from sqlalchemy.dialects.postgresql import INET
from sqlalchemy.orm import Mapped, mapped_column

from shared.models.identity.meta import SCHEMA, IdentityBase


class Event(StrEnum):
    """What was done, or tried."""

    REGISTRATION = "registration"
    LOGIN = "login"
    REFRESH = "refresh"
    LOGOUT = "logout"
    LOGOUT_EVERYWHERE = "logout_everywhere"
    SESSION_END = "session_end"
    PASSWORD_CHANGE = "password_change"
    USER_DISABLE = "user_disable"
    USER_ENABLE = "user_enable"


class Outcome(StrEnum):
    """What came of it: the code of the refusal, or more than its caller is told."""

    SUCCEEDED = "succeeded"
    RETRIED = "retried"
    """A refresh token shown again within the grace."""
    WRONG_PASSWORD = "wrong_password"
    UNKNOWN_USER = "unknown_user"
    USER_DISABLED = "user_disabled"
    TOO_MANY_ATTEMPTS = "too_many_attempts"
    USERNAME_TAKEN = "username_taken"
    REFRESH_TOKEN_REUSED = "refresh_token_reused"
    REFRESH_TOKEN_EXPIRED = "refresh_token_expired"
    REFRESH_TOKEN_INVALID = "refresh_token_invalid"


class AuditEvent(IdentityBase):
    """One thing that happened to an account. It stays when the user or the session it names is gone."""

    __tablename__ = "audit_events"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime] = mapped_column(server_default=func.now())
    event: Mapped[str]
    """One of Event."""
    outcome: Mapped[str]
    """One of Outcome."""
    actor: Mapped[str]
    """`client`, whoever that was, or `operator`."""
    user_id: Mapped[UUID | None]
    account: Mapped[bytes | None]
    """Where there is no such user, an HMAC of the name that was tried: what was typed may be a password."""
    session_id: Mapped[UUID | None]
    address: Mapped[IPv4Address | IPv6Address | None] = mapped_column(INET)
    user_agent: Mapped[str | None]
    """What the client calls itself, cut short, without control characters."""
    request_id: Mapped[str | None]

    __table_args__ = (
        Index(None, "user_id", "at"),
        Index(None, "at"),
        {"schema": SCHEMA},
    )
