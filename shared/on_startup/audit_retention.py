"""Reads how long the audit trail is kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from shared.config import AuditSettings


@asynccontextmanager
async def open_audit_retention(app: FastAPI) -> AsyncIterator[None]:
    """Put it on `app.state`, a timedelta."""
    app.state.audit_retention = AuditSettings.from_environment().retention
    yield
