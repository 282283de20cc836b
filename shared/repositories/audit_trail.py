from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.models.identity.audit_event import AuditEvent, Event, Outcome
from shared.origin import Address, Origin
from shared.repositories.deletion import delete_oldest


@dataclass(frozen=True, slots=True)
class Audited:
    """What an operator is shown of an event."""

    at: datetime
    event: str
    outcome: str
    actor: str
    session_id: UUID | None
    address: Address | None
    user_agent: str | None
    request_id: str | None


SHOWN = (
    AuditEvent.at,
    AuditEvent.event,
    AuditEvent.outcome,
    AuditEvent.actor,
    AuditEvent.session_id,
    AuditEvent.address,
    AuditEvent.user_agent,
    AuditEvent.request_id,
)


class AuditTrail:
    """What happened to accounts. Stored with the transaction that it tells of, or not at all."""

    def __init__(self, session: AsyncSession, origin: Origin) -> None:
        self._session = session
        self._origin = origin

    async def record(
        self,
        event: Event,
        outcome: Outcome = Outcome.SUCCEEDED,
        *,
        user_id: UUID | None = None,
        account: bytes | None = None,
        session_id: UUID | None = None,
    ) -> None:
        """Store it. `account` is what was tried where there is no user: an HMAC, as AccountMacs make them."""
        of = {"user_id": user_id, "account": account, "session_id": session_id}
        values = {"event": event, "outcome": outcome, **of, **columns(self._origin)}
        await self._session.execute(insert(AuditEvent).values(values))

    async def of_user(self, user_id: UUID, at_most: int) -> list[Audited]:
        """Return the user's, the newest first."""
        statement = select(*SHOWN).where(AuditEvent.user_id == user_id)
        newest = statement.order_by(AuditEvent.at.desc(), AuditEvent.id.desc()).limit(at_most)
        return [Audited(*row) for row in await self._session.execute(newest)]

    async def delete_old(self, retention: timedelta, at_most: int) -> int:
        """Delete what is that old, the oldest first, and return how many."""
        before = func.now() - retention
        return await delete_oldest(self._session, AuditEvent.id, AuditEvent.at, before, at_most)


def recorded(event: Event, outcome: ColumnElement[str], session: CTE) -> CTE:
    """Return what records the event in the statement that makes or changes the session, if that is any.

    It takes the `columns` of an origin as parameters.
    """
    values = {"event": literal(event.value), "outcome": outcome} | {
        name: bindparam(name, type_=AuditEvent.__table__.c[name].type) for name in columns(Origin())
    }
    rows = select(session.c.id, session.c.user_id, *values.values())
    return insert(AuditEvent).from_select(["session_id", "user_id", *values], rows).cte("recorded")


def columns(origin: Origin) -> dict[str, Any]:
    return {
        "actor": origin.actor,
        "address": origin.address,
        "user_agent": origin.user_agent,
        "request_id": origin.request_id,
    }
