from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from functions.login.password_check import Attempt, PasswordCheck
from shared.errors import InvalidCredentials, InvalidToken
from shared.models.identity.audit_event import Event, Outcome
from shared.repositories.unit_of_work import Repositories, UnitOfWork
from shared.security.access_tokens import Identity
from shared.security.account_macs import AccountMacs


@dataclass(frozen=True, slots=True)
class PasswordChange:
    unit_of_work: UnitOfWork
    passwords: PasswordCheck
    accounts: AccountMacs
    caller: Identity

    async def change(self, password: str, new_password: str) -> None:
        """Store the new password and end the user's other sessions, both or neither.

        Raises InvalidToken when the caller's session has ended, InvalidCredentials when `password` is not the
        user's, or is not any more once it has been verified: of several changes at once one succeeds.
        Raises TooManyAttempts, before anything is hashed, while the user's changes are blocked.
        """
        account = self.accounts.of_password_changes(self.caller.user_id)
        known_hash, attempt = await self._attempt(account)
        if not await self.passwords.verify(attempt, password, known_hash):
            async with self.unit_of_work() as repositories:
                await self._record(repositories, Outcome.WRONG_PASSWORD)
            raise InvalidCredentials("Check the current password and try again.")
        # Hashed before the transaction, so that no connection waits for a processor.
        password_hash = await self.passwords.hash(attempt, new_password)
        if not await self._replace(known_hash, password_hash, account):
            raise InvalidCredentials("It has just been changed.")

    async def _replace(self, known_hash: str, password_hash: str, account: bytes) -> bool:
        user_id, kept = self.caller.user_id, self.caller.session_id
        async with self.unit_of_work() as repositories:
            replaced = await repositories.users.replace_password(user_id, known_hash, password_hash)
            if replaced:
                await repositories.sessions.end_all_of_user(user_id, but=kept)
                await repositories.attempts.clear(account)
            await self._record(repositories, Outcome.SUCCEEDED if replaced else Outcome.WRONG_PASSWORD)
        return replaced

    async def _attempt(self, account: bytes) -> tuple[str, Attempt]:
        """Count an attempt, and return the hash to verify against with it."""
        record_block = partial(self._record, outcome=Outcome.TOO_MANY_ATTEMPTS)
        async with self.passwords.block_recorded(account, record_block), self.unit_of_work() as repositories:
            await repositories.sessions.demand_live(self.caller.session_id)
            user = await repositories.users.by_id(self.caller.user_id)
            if user is None:
                raise InvalidToken("There is no such user any more.")
            return user.password_hash, Attempt(account, await repositories.attempts.take(account))

    async def _record(self, repositories: Repositories, outcome: Outcome) -> None:
        user_id, session_id = self.caller.user_id, self.caller.session_id
        await repositories.audit_trail.record(
            Event.PASSWORD_CHANGE, outcome, user_id=user_id, session_id=session_id
        )
