from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from shared.concurrency import BoundedThreads
from shared.errors import TooBusy, TooManyAttempts
from shared.metrics.instruments import LOCKOUTS, PASSWORD_HASH_DURATION
from shared.metrics.measured import time_duration
from shared.repositories.attempts import FREE_FAILURES
from shared.repositories.unit_of_work import Repositories, UnitOfWork
from shared.security.passwords import hash_password, verify_password


@dataclass(frozen=True, slots=True)
class Attempt:
    """It has been counted as a failure, by `Attempts.take`, before its password is looked at."""

    account: bytes
    failures: int


@dataclass(frozen=True, slots=True)
class PasswordCheck:
    """Hashes off the event loop. Where that raises TooBusy, the attempt has not been one."""

    unit_of_work: UnitOfWork
    threads: BoundedThreads[Any]

    @asynccontextmanager
    async def block_recorded(
        self, account: bytes, record: Callable[[Repositories], Awaitable[None]]
    ) -> AsyncIterator[None]:
        """Record the block that what is done within meets: once, however many are refused by it.

        It is another transaction than the refused one, which would take what is recorded back.
        """
        try:
            yield
        except TooManyAttempts:
            async with self.unit_of_work() as repositories:
                if await repositories.attempts.tell_refusal(account):
                    await record(repositories)
            raise

    async def verify(self, attempt: Attempt, password: str, password_hash: str | None) -> bool:
        verified: bool = await self._run(attempt, partial(verify_password, password, password_hash))
        if not verified and attempt.failures > FREE_FAILURES:
            LOCKOUTS.inc()
        return verified

    async def hash(self, attempt: Attempt, password: str) -> str:
        hashed: str = await self._run(attempt, partial(hash_password, password))
        return hashed

    async def _run(self, attempt: Attempt, work: Callable[[], Any]) -> Any:
        try:
            return await self._timed(work)
        except TooBusy:
            async with self.unit_of_work() as repositories:
                await repositories.attempts.give_back(attempt.account, attempt.failures)
            raise

    @time_duration(PASSWORD_HASH_DURATION)
    async def _timed(self, work: Callable[[], Any]) -> Any:
        return await self.threads.run(work)
