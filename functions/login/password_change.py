from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

from shared.concurrency import BoundedThreads
from shared.errors import InvalidCredentials, InvalidToken
from shared.metrics.instruments import PASSWORD_HASH_DURATION
from shared.metrics.measured import time_duration
from shared.repositories.unit_of_work import UnitOfWork
from shared.security.access_tokens import Identity
from shared.security.passwords import hash_password, verify_password


@dataclass(frozen=True, slots=True)
class PasswordChange:
    unit_of_work: UnitOfWork
    threads: BoundedThreads[Any]
    caller: Identity

    async def change(self, password: str, new_password: str) -> None:
        """Store the new password and end the user's other sessions, both or neither.

        Raises InvalidToken when the caller's session has ended, InvalidCredentials when `password` is not the
        user's, or is not any more once it has been verified: of several changes at once one succeeds.
        """
        known_hash = await self._known_hash()
        if not await self._verify(password, known_hash):
            raise InvalidCredentials("Check the current password and try again.")
        # Hashed before the transaction, so that no connection waits for a processor.
        password_hash = await self._hash(new_password)
        async with self.unit_of_work() as repositories:
            user_id, kept = self.caller.user_id, self.caller.session_id
            if not await repositories.users.replace_password(user_id, known_hash, password_hash):
                raise InvalidCredentials("It has just been changed.")
            await repositories.sessions.end_all_of_user(user_id, but=kept)

    async def _known_hash(self) -> str:
        async with self.unit_of_work() as repositories:
            await repositories.sessions.demand_live(self.caller.session_id)
            user = await repositories.users.by_id(self.caller.user_id)
        if user is None:
            raise InvalidToken("There is no such user any more.")
        return user.password_hash

    @time_duration(PASSWORD_HASH_DURATION)
    async def _verify(self, password: str, password_hash: str) -> bool:
        verified: bool = await self.threads.run(partial(verify_password, password, password_hash))
        return verified

    @time_duration(PASSWORD_HASH_DURATION)
    async def _hash(self, password: str) -> str:
        hashed: str = await self.threads.run(partial(hash_password, password))
        return hashed
