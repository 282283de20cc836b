"""The chores: each removes one kind of thing. A new one is a class here, and has its place in `tasks.py`."""

from __future__ import annotations

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from shared.errors import ChoresFailed, Problem
from shared.metrics.instruments import JANITOR_FAILURES, JANITOR_REMOVED
from shared.metrics.pushed_groups import PushedGroups
from shared.repositories.unit_of_work import Repositories, UnitOfWork

CHORE_SECONDS = 10.0
"""A chore that hangs leaves time for the others: the time-out in `template.yaml` is above their sum."""
SESSION_RETENTION = timedelta(days=7)
"""After the end of a session's last refresh token; until then that is told that it has expired."""
ATTEMPT_RETENTION = timedelta(days=1)
"""After the last for an account: what was mistyped is forgotten, and a name that was tried leaves nothing."""
ROWS_PER_BATCH = 1000
BATCHES_PER_EVENT = 20

logger = logging.getLogger("passepartout.janitor")


class Chore(ABC):
    """Removes what is due of one kind. What it counts begins at zero as soon as the class is made."""

    kind: ClassVar[str]
    after: ClassVar[str | None] = None
    """The kind of one before it, without whose success it is left for the next event."""

    def __init_subclass__(cls) -> None:
        if "kind" in vars(cls):
            JANITOR_REMOVED.labels(cls.kind)
            JANITOR_FAILURES.labels(cls.kind)

    @abstractmethod
    def remove(self) -> AsyncIterator[int]:
        """Remove in steps, and give how many each has removed: those stay so, whatever comes next."""


@dataclass(frozen=True, slots=True)
class OldRows(Chore):
    """Deletes rows in transactions of so many. A backlog larger than a run takes is left for the next one."""

    share: ClassVar[int] = 1
    """How many times as many batches as others have."""
    unit_of_work: UnitOfWork

    async def remove(self) -> AsyncIterator[int]:
        for _ in range(self.share * BATCHES_PER_EVENT):
            async with self.unit_of_work() as repositories:
                count = await self.delete(repositories, ROWS_PER_BATCH)
            yield count
            if count < ROWS_PER_BATCH:
                return

    @abstractmethod
    async def delete(self, repositories: Repositories, at_most: int) -> int:
        """Delete the oldest that are due, and return how many."""


@dataclass(frozen=True, slots=True)
class ExpiredSessions(OldRows):
    kind = "expired_sessions"

    async def delete(self, repositories: Repositories, at_most: int) -> int:
        return await repositories.sessions.delete_ended(SESSION_RETENTION, at_most)


@dataclass(frozen=True, slots=True)
class ForgottenAttempts(OldRows):
    kind = "forgotten_attempts"

    async def delete(self, repositories: Repositories, at_most: int) -> int:
        return await repositories.attempts.delete_forgotten(ATTEMPT_RETENTION, at_most)


@dataclass(frozen=True, slots=True)
class OldAuditEvents(OldRows):
    """So many at most that none are left: each refresh makes one."""

    kind = "old_audit_events"
    share = 3
    retention: timedelta

    async def delete(self, repositories: Repositories, at_most: int) -> int:
        return await repositories.audit_trail.delete_old(self.retention, at_most)


@dataclass(frozen=True, slots=True)
class StaleGroups(Chore):
    """None, where no Pushgateway is configured."""

    kind = "stale_groups"
    groups: PushedGroups | None

    async def remove(self) -> AsyncIterator[int]:
        if self.groups is None:
            return
        for group in await self.groups.stale(time.time()):
            await self.groups.delete(group)
            yield 1


@dataclass(frozen=True, slots=True)
class Janitor:
    chores: Sequence[Chore]

    async def clean(self) -> dict[str, int]:
        """Do every chore, one after the other, and return how many things of each kind were removed.

        Raises ChoresFailed when all have been done or tried, and any has failed.
        """
        removed: dict[str, int] = {}
        failed: list[str] = []
        for chore in self.chores:
            if chore.after in failed:
                continue
            try:
                removed[chore.kind] = await _do(chore)
            except Exception as error:
                failed.append(chore.kind)
                _report(chore.kind, error)
        if any(removed.values()):
            logger.info("removed %s", removed, extra={"removed": removed})
        if failed:
            raise ChoresFailed(", ".join(failed))
        return removed


async def _do(chore: Chore) -> int:
    removed = 0
    async with asyncio.timeout(CHORE_SECONDS):
        async for count in chore.remove():
            removed += count
            JANITOR_REMOVED.labels(chore.kind).inc(count)
    return removed


def _report(kind: str, error: Exception) -> None:
    JANITOR_FAILURES.labels(kind).inc()
    # A service that does not answer needs no traceback to be understood.
    foreseen = isinstance(error, OSError | Problem)
    logger.error("%s failed: %s: %s", kind, type(error).__name__, error, exc_info=not foreseen)
