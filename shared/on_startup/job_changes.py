from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from shared.config import DatabaseSettings
from shared.db.job_changes import JobChanges
from shared.on_startup.database import create_engine


@asynccontextmanager
async def open_job_changes(app: FastAPI) -> AsyncIterator[None]:
    """Put JobChanges on `app.state`; it connects when somebody waits."""
    engine = create_engine(DatabaseSettings.from_environment(), pooled=False)
    app.state.job_changes = JobChanges(engine)
    yield
    await engine.dispose()
