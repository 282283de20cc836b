from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import CTE, ColumnElement, String, bindparam, cast, func, literal, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.models.identity.audit_event import AuditEvent, Event, Outcome
from shared.models.identity.user import User
from shared.origin import Address, Origin
from shared.repositories.deletion import delete_oldest


class Audited(NamedTuple):
    """What an operator is shown of an event, in this order."""

    at: datetime
    event: str
    outcome: str
    whose: str | None
    """The username; the id of a user who is gone; None where there was no such user."""
    actor: str
    session_id: UUID | None
    address: Address | None
    request_id: str | None
    user_agent: str | None


SHOWN = (
    AuditEvent.at,
    AuditEvent.event,
    AuditEvent.outcome,
    func.coalesce(User.username, cast(AuditEvent.user_id, String)),
    AuditEvent.actor,
    AuditEvent.session_id,
    AuditEvent.address,
    AuditEvent.request_id,
    AuditEvent.user_agent,
)


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What events have to be, to be shown; `before` is when they were."""

    user_id: UUID | None = None
    event: Event | None = None
    outcome: Outcome | None = None
    before: datetime | None = None

    def conditions(self) -> Iterator[ColumnElement[bool]]:
        if self.user_id:
            yield AuditEvent.user_id == self.user_id
        if self.event:
            yield AuditEvent.event == self.event
        if self.outcome:
            yield AuditEvent.outcome == self.outcome
        if self.before:
            yield AuditEvent.at < self.before


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

    async def newest(self, only: AuditFilter, at_most: int) -> list[Audited]:
        """Return the newest first: `at_most`, and of the last one's instant all.

        So what is `before` the last one is the next page, and none is missed between two.
        """
        shown = select(*SHOWN).outerjoin(User, User.id == AuditEvent.user_id).where(*only.conditions())
        newest = shown.order_by(AuditEvent.at.desc()).fetch(at_most, with_ties=True)
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
