from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from uuid import UUID

from shared.concurrency import BoundedThreads
from shared.errors import RegistrationClosed, UsernameTaken
from shared.metrics.instruments import PASSWORD_HASH_DURATION
from shared.metrics.measured import time_duration
from shared.models.identity.audit_event import Event, Outcome
from shared.repositories.unit_of_work import Repositories, UnitOfWork
from shared.security.passwords import hash_password


@dataclass(frozen=True, slots=True)
class Register:
    unit_of_work: UnitOfWork
    threads: BoundedThreads[str]
    is_open: bool

    async def register(self, username: str, password: str) -> UUID:
        """Store a new user. Raises RegistrationClosed or UsernameTaken."""
        if not self.is_open:
            raise RegistrationClosed("New users are added by an operator.")
        # Hashed before the transaction, so that no connection waits for a processor.
        password_hash = await self._hash(password)
        async with self.unit_of_work() as repositories:
            user_id = await repositories.users.add(username, password_hash)
            if user_id is None:
                await _record_taken(repositories, username)
            else:
                await repositories.audit_trail.record(Event.REGISTRATION, user_id=user_id)
        if user_id is None:
            raise UsernameTaken("Choose another username.")
        return user_id

    @time_duration(PASSWORD_HASH_DURATION)
    async def _hash(self, password: str) -> str:
        return await self.threads.run(partial(hash_password, password))


async def _record_taken(repositories: Repositories, username: str) -> None:
    """Record it with whoever has the name: it is that account that was tried."""
    owner = await repositories.users.by_username(username)
    user_id = owner.id if owner else None
    await repositories.audit_trail.record(Event.REGISTRATION, Outcome.USERNAME_TAKEN, user_id=user_id)
