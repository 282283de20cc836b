from __future__ import annotations

from dataclasses import dataclass

from functions.login.password_check import Attempt, PasswordCheck
from shared.errors import InvalidCredentials, TooBusy, TooManyAttempts
from shared.metrics.instruments import LOGINS
from shared.metrics.measured import count_outcomes
from shared.models.identity.audit_event import Event, Outcome
from shared.models.identity.user import User
from shared.repositories.unit_of_work import Repositories, UnitOfWork
from shared.repositories.users import fold
from shared.security.access_tokens import Identity
from shared.security.account_macs import AccountMacs
from shared.security.passwords import is_outgrown
from shared.security.tokens import TokenIssuer, TokenResponse


@dataclass(frozen=True, slots=True)
class Login:
    unit_of_work: UnitOfWork
    passwords: PasswordCheck
    accounts: AccountMacs
    issuer: TokenIssuer

    @count_outcomes(LOGINS, InvalidCredentials, TooManyAttempts, TooBusy)
    async def login(self, username: str, password: str) -> TokenResponse:
        """Start a session. Raises InvalidCredentials: unknown or disabled user, or wrong password.

        Raises TooManyAttempts, before anything is hashed, while the name is blocked, whosesoever it is.
        """
        account = self.accounts.of_sign_ins(fold(username))
        attempt, user = await self._attempt(account, username)
        known_hash = user.password_hash if user else None
        if not await self.passwords.verify(attempt, password, known_hash) or user is None:
            async with self.unit_of_work(atomic=False) as repositories:
                await _record_wrong(repositories, user, account)
            raise InvalidCredentials("Check both and try again.")
        return await self._start(user, await self._current_hash(attempt, user, password), account)

    async def _attempt(self, account: bytes, username: str) -> tuple[Attempt, User | None]:
        async def record_block(repositories: Repositories) -> None:
            user = await repositories.users.by_username(username)
            await _record(repositories, Outcome.TOO_MANY_ATTEMPTS, user, account)

        async with (
            self.passwords.block_recorded(account, record_block),
            self.unit_of_work(atomic=False) as repositories,
        ):
            attempt = Attempt(account, await repositories.attempts.take(account))
            return attempt, await repositories.users.by_username(username)

    async def _current_hash(self, attempt: Attempt, user: User, password: str) -> str:
        """Return the hash that is stored by now: a new one, where the parameters have grown since."""
        if not is_outgrown(user.password_hash):
            return user.password_hash
        try:
            password_hash = await self.passwords.hash(attempt, password)
        except TooBusy:
            return user.password_hash
        async with self.unit_of_work() as repositories:
            replaced = await repositories.users.replace_password(user.id, user.password_hash, password_hash)
        return password_hash if replaced else user.password_hash

    async def _start(self, user: User, password_hash: str, account: bytes) -> TokenResponse:
        async with self.unit_of_work(atomic=False) as repositories:
            session = await repositories.sessions.start(user.id, password_hash, account)
            if session is None:
                await _record_wrong(repositories, await repositories.users.by_id(user.id), account)
                raise InvalidCredentials("Check both and try again.")
        return self.issuer.issue(Identity(user.id, session.id), session.token, session.expires_in)


async def _record_wrong(repositories: Repositories, user: User | None, account: bytes) -> None:
    """Record which of the three it was that the caller is told as one."""
    if user is None:
        outcome = Outcome.UNKNOWN_USER
    else:
        outcome = Outcome.USER_DISABLED if user.disabled_at else Outcome.WRONG_PASSWORD
    await _record(repositories, outcome, user, account)


async def _record(repositories: Repositories, outcome: Outcome, user: User | None, account: bytes) -> None:
    await repositories.audit_trail.record(
        Event.LOGIN, outcome, user_id=user.id if user else None, account=None if user else account
    )
