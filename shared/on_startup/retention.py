"""Reads how long uploads, results, jobs and the audit trail are kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from shared.config import RetentionSettings


@asynccontextmanager
async def open_retention(app: FastAPI) -> AsyncIterator[None]:
    """Put RetentionSettings on `app.state`."""
    app.state.retention = RetentionSettings.from_environment()
    yield
