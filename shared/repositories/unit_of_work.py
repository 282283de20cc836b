"""One transaction over all repositories: what is done in it is stored whole or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol

from fastapi import Depends
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.session import Database, database
from shared.origin import Origin, origin
from shared.repositories.attempts import Attempts
from shared.repositories.audit_trail import AuditTrail
from shared.repositories.sessions import Sessions
from shared.repositories.users import Users

if TYPE_CHECKING:
    from shared.repositories.idempotency_keys import IdempotencyKeys
    from shared.repositories.job_upkeep import JobUpkeep
    from shared.repositories.jobs import Jobs


@dataclass(frozen=True, slots=True)
class Repositories:
    """All that there are; those of the queue are imported where they are asked for, which no sign-in does."""

    session: AsyncSession
    origin: Origin

    @property
    def users(self) -> Users:
        return Users(self.session)

    @property
    def sessions(self) -> Sessions:
        return Sessions(self.session, self.origin)

    @property
    def attempts(self) -> Attempts:
        return Attempts(self.session)

    @property
    def audit_trail(self) -> AuditTrail:
        return AuditTrail(self.session, self.origin)

    @property
    def jobs(self) -> Jobs:
        from shared.repositories.jobs import Jobs

        return Jobs(self.session)

    @property
    def job_upkeep(self) -> JobUpkeep:
        from shared.repositories.job_upkeep import JobUpkeep

        return JobUpkeep(self.session)

    @property
    def idempotency_keys(self) -> IdempotencyKeys:
        from shared.repositories.idempotency_keys import IdempotencyKeys

        return IdempotencyKeys(self.session)


class UnitOfWork(Protocol):
    def __call__(self, *, atomic: bool = True) -> AbstractAsyncContextManager[Repositories]:
        """Commit at the end of `async with`, and roll back on an error.

        Where not `atomic`, each statement is committed alone: two round trips less, where there is one.
        """


async def unit_of_work(
    database: Annotated[Database, Depends(database)], origin: Annotated[Origin, Depends(origin)] = Origin()
) -> UnitOfWork:
    """Units of work on the app's database, for an endpoint to depend on; they are done for this origin."""

    @asynccontextmanager
    async def begin(*, atomic: bool = True) -> AsyncIterator[Repositories]:
        async with database.transaction(atomic=atomic) as session:
            yield Repositories(session, origin)

    return begin
