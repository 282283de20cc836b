from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Executable, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from shared.errors import InvalidToken
from shared.models.identity.session import Session
from shared.origin import Origin
from shared.repositories.audit_trail import columns
from shared.repositories.deletion import delete_oldest
from shared.repositories.session_statements import found, live, rotated, started
from shared.security.refresh_tokens import RefreshToken


@dataclass(frozen=True, slots=True)
class SessionState:
    """A session after a statement on it, with the database's own clock."""

    id: UUID
    user_id: UUID
    counter: int
    expires_at: datetime
    revoked: bool
    now: datetime

    @property
    def token(self) -> RefreshToken:
        """The one refresh token that is good now."""
        return RefreshToken(self.id, self.counter)

    @property
    def expires_in(self) -> timedelta:
        return self.expires_at - self.now

    @property
    def live(self) -> bool:
        return not self.revoked and self.expires_at > self.now


@dataclass(frozen=True, slots=True)
class LiveSession:
    """What the user is shown of a session."""

    id: UUID
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime


SHOWN = (Session.id, Session.created_at, Session.refreshed_at, Session.expires_at)
MAXIMUM_SHOWN = 1000


class Sessions:
    """Refresh-token sessions. Every judgement of time is made by the database, whose clock all share.

    A sign-in and a refresh are recorded in the audit trail by the very statements that do them.
    """

    def __init__(self, session: AsyncSession, origin: Origin = Origin()) -> None:
        self._session = session
        self._origin = origin

    async def start(self, user_id: UUID, password_hash: str, account: bytes) -> SessionState | None:
        """Start a session of a user who has shown the password of this hash, and forget the attempts before.

        None when the user has been disabled or given another password since: who does that and then ends the
        sessions, in one transaction, ends this one too, or is waited for here.
        """
        owner = {"owner_id": user_id, "known_hash": password_hash, "tried_account": account}
        return await self._state(started(), owner | columns(self._origin))

    async def rotate(self, token: RefreshToken) -> SessionState | None:
        """Judge a token and act on it in one atomic statement; None when its session is not live.

        - The current token: the counter moves on, and the session lasts another LIFETIME.
        - The one just before, within GRACE of the refresh: nothing changes.
        - Any other: it is reuse, and the session comes back revoked.

        Of several refreshes at once one finds the counter as it was; the others wait for its row lock, then
        find themselves in its grace.
        """
        shown = {"session_id": token.session_id, "shown_counter": token.counter}
        return await self._state(rotated(), shown | columns(self._origin))

    async def find(self, session_id: UUID) -> SessionState | None:
        """Return a session, live or not."""
        return await self._state(found(), {"session_id": session_id})

    async def demand_live(self, session_id: UUID) -> None:
        """Raises InvalidToken when the session that an access token belongs to has ended before the token."""
        session = await self.find(session_id)
        if session is None or not session.live:
            raise InvalidToken("Its session has ended. Sign in again.")

    async def list_live(self, user_id: UUID) -> list[LiveSession]:
        """Return the user's live sessions, the last refreshed first, and of very many only those."""
        statement = (
            select(*SHOWN)
            .where(Session.user_id == user_id, live())
            .order_by(Session.refreshed_at.desc(), Session.id)
            .limit(MAXIMUM_SHOWN)
        )
        return [LiveSession(*row) for row in await self._session.execute(statement)]

    async def end(self, session_id: UUID) -> UUID | None:
        """End the session and return whose it was; None when it was not live."""
        return next(iter(await self._revoke(Session.id == session_id)), None)

    async def end_of_user(self, session_id: UUID, user_id: UUID) -> bool:
        """End the session. False when it is not live, or another user's."""
        return bool(await self._revoke((Session.id == session_id) & (Session.user_id == user_id)))

    async def end_all(self, session_id: UUID) -> UUID | None:
        """End every session of the user whose live session this is, and return the user."""
        owner = select(Session.user_id).where(Session.id == session_id, live()).scalar_subquery()
        return next(iter(await self._revoke_in_order(Session.user_id == owner)), None)

    async def end_all_of_user(self, user_id: UUID, *, but: UUID | None = None) -> int:
        """End every session of the user, `but` one where that is given, and return how many."""
        others = () if but is None else (Session.id != but,)
        return len(await self._revoke_in_order(Session.user_id == user_id, *others))

    async def delete_ended(self, retention: timedelta, at_most: int) -> int:
        """Delete the sessions that ended that long ago, the oldest first, and return how many.

        The end is that of the last refresh token, `expires_at`, for one that was revoked too: never before
        none of its tokens could be good, and never after 30 days, since no refresh goes beyond them.
        """
        before = func.now() - retention
        return await delete_oldest(self._session, Session.id, Session.expires_at, before, at_most)

    async def _state(self, statement: Executable, parameters: dict[str, Any]) -> SessionState | None:
        row = (await self._session.execute(statement, parameters)).one_or_none()
        return None if row is None else SessionState(*row)

    async def _revoke_in_order(self, *which: ColumnElement[bool]) -> Sequence[UUID]:
        """End several that are live and return of each whose it was.

        The rows are locked in the order of their ids. In that of their places, which a refresh changes, two
        at once could each hold the row that the other waits for.
        """
        locked = select(Session.id).where(*which, live()).order_by(Session.id).with_for_update().cte("locked")
        return await self._revoke(Session.id.in_(select(locked.c.id)))

    async def _revoke(self, which: ColumnElement[bool]) -> Sequence[UUID]:
        """End those that are live and return of each whose it was."""
        ended = update(Session).where(which, live()).values(revoked_at=func.now())
        return (await self._session.scalars(ended.returning(Session.user_id))).all()
