from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from infra.operators import Refused
from shared.models.identity.audit_event import Event
from shared.models.identity.user import User
from shared.repositories.audit_trail import Audited, AuditFilter
from shared.repositories.sessions import LiveSession
from shared.repositories.unit_of_work import Repositories, UnitOfWork
from shared.security.passwords import hash_password


@dataclass(frozen=True, slots=True)
class Accounts:
    """What an operator may do. Everything raises Refused where there is no such user."""

    unit_of_work: UnitOfWork

    async def add(self, username: str, password: str) -> UUID:
        """Store a user and return the id. Raises Refused when the name is taken."""
        password_hash = hash_password(password)
        async with self.unit_of_work() as repositories:
            user_id = await repositories.users.add(username, password_hash)
            if user_id is not None:
                await repositories.audit_trail.record(Event.REGISTRATION, user_id=user_id)
        if user_id is None:
            raise Refused(f"the username is taken: {username}")
        return user_id

    async def disable(self, username: str) -> int:
        """Keep the user from signing in, end all sessions, and return how many that were."""
        async with self.unit_of_work() as repositories:
            user = await _user(repositories, username)
            # In this order: a sign-in under way has begun its session by now, or finds that it may not.
            await repositories.users.disable(user.id)
            await repositories.audit_trail.record(Event.USER_DISABLE, user_id=user.id)
            return await repositories.sessions.end_all_of_user(user.id)

    async def enable(self, username: str) -> None:
        async with self.unit_of_work() as repositories:
            user = await _user(repositories, username)
            await repositories.users.enable(user.id)
            await repositories.audit_trail.record(Event.USER_ENABLE, user_id=user.id)

    async def sessions(self, username: str) -> list[LiveSession]:
        """Return the live ones, the last refreshed first."""
        async with self.unit_of_work() as repositories:
            return await repositories.sessions.list_live((await _user(repositories, username)).id)

    async def revoke(self, username: str, session_id: UUID | None) -> int:
        """End the session, or all, and return how many. Raises Refused for one that is not the user's."""
        async with self.unit_of_work() as repositories:
            user = await _user(repositories, username)
            if session_id is None:
                await repositories.audit_trail.record(Event.LOGOUT_EVERYWHERE, user_id=user.id)
                return await repositories.sessions.end_all_of_user(user.id)
            if not await repositories.sessions.end_of_user(session_id, user.id):
                raise Refused(f"{username} has no live session {session_id}")
            await repositories.audit_trail.record(Event.SESSION_END, user_id=user.id, session_id=session_id)
            return 1

    async def set_password(self, username: str, password: str) -> int:
        """Give the user this password, end all sessions, and return how many that were."""
        password_hash = hash_password(password)
        async with self.unit_of_work() as repositories:
            user = await _user(repositories, username)
            await repositories.users.set_password(user.id, password_hash)
            await repositories.audit_trail.record(Event.PASSWORD_CHANGE, user_id=user.id)
            return await repositories.sessions.end_all_of_user(user.id)

    async def audit(self, username: str | None, only: AuditFilter, at_most: int) -> list[Audited]:
        """Return what happened to the account, or without a name to all, the newest first."""
        async with self.unit_of_work() as repositories:
            if username is not None:
                only = replace(only, user_id=(await _user(repositories, username)).id)
            return await repositories.audit_trail.newest(only, at_most)


async def _user(repositories: Repositories, username: str) -> User:
    user = await repositories.users.by_username(username)
    if user is None:
        raise Refused(f"there is no user {username}")
    return user
