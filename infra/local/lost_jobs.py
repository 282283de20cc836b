"""Jobs that an earlier run has left: its queue and its pictures were in memory, and went with it."""

from __future__ import annotations

from shared.config import DatabaseSettings
from shared.db.session import Database
from shared.errors import JobStalled
from shared.on_startup.database import create_engine
from shared.repositories.job_upkeep import JobUpkeep


async def fail_lost_jobs() -> int:
    """Set them failed, with the reason, and return how many; DATABASE_URL says where."""
    engine = create_engine(DatabaseSettings.from_environment(), pooled=False)
    try:
        async with Database(engine).transaction() as session:
            problem = JobStalled("It was not done when the server stopped. Please ask for it again.")
            return await JobUpkeep(session).fail_unfinished(problem.as_json())
    finally:
        await engine.dispose()
