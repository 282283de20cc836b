"""One transaction over all repositories: what is done in it is stored whole or not at all."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Annotated, Protocol

from fastapi import Depends

from shared.db.session import Database, database
from shared.origin import Origin, origin
from shared.repositories.attempts import Attempts
from shared.repositories.audit_trail import AuditTrail
from shared.repositories.idempotency_keys import IdempotencyKeys
from shared.repositories.job_upkeep import JobUpkeep
from shared.repositories.jobs import Jobs
from shared.repositories.sessions import Sessions
from shared.repositories.users import Users


@dataclass(frozen=True, slots=True)
class Repositories:
    users: Users
    sessions: Sessions
    attempts: Attempts
    audit_trail: AuditTrail
    jobs: Jobs
    job_upkeep: JobUpkeep
    idempotency_keys: IdempotencyKeys


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
            yield Repositories(
                Users(session),
                Sessions(session, origin),
                Attempts(session),
                AuditTrail(session, origin),
                Jobs(session),
                JobUpkeep(session),
                IdempotencyKeys(session),
            )

    return begin
