"""Reads how long uploads, results and jobs are kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from shared.config import JobRetentionSettings


@asynccontextmanager
async def open_job_retention(app: FastAPI) -> AsyncIterator[None]:
    """Put JobRetentionSettings on `app.state`."""
    app.state.job_retention = JobRetentionSettings.from_environment()
    yield
