from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from shared.concurrency import BoundedThreads
from shared.errors import InvalidCredentials, TooBusy
from shared.metrics.instruments import LOGINS, PASSWORD_HASH_DURATION
from shared.metrics.measured import count_outcomes, time_duration
from shared.repositories.unit_of_work import UnitOfWork
from shared.security.access_tokens import Identity
from shared.security.passwords import verify_password
from shared.security.tokens import TokenIssuer, TokenResponse


@dataclass(frozen=True, slots=True)
class Login:
    unit_of_work: UnitOfWork
    threads: BoundedThreads[bool]
    issuer: TokenIssuer

    @count_outcomes(LOGINS, InvalidCredentials, TooBusy)
    async def login(self, username: str, password: str) -> TokenResponse:
        """Start a session. Raises InvalidCredentials: unknown or disabled user, or wrong password."""
        async with self.unit_of_work() as repositories:
            user = await repositories.users.by_username(username)
        if not await self._verify(password, user.password_hash if user else None) or user is None:
            raise InvalidCredentials("Check both and try again.")
        async with self.unit_of_work() as repositories:
            session = await repositories.sessions.start(user.id, user.password_hash)
        if session is None:
            raise InvalidCredentials("Check both and try again.")
        identity = Identity(user.id, session.id)
        return self.issuer.issue(identity, session.token, session.expires_in)

    @time_duration(PASSWORD_HASH_DURATION)
    async def _verify(self, password: str, password_hash: str | None) -> bool:
        return await self.threads.run(partial(verify_password, password, password_hash))
