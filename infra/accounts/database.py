"""Where the accounts are: the database of `DATABASE_URL`, or that of `make run` in this folder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

from infra.accounts.service import Accounts
from infra.operators import Refused
from shared.config import DatabaseSettings
from shared.db.session import Database
from shared.on_startup.database import create_engine
from shared.origin import Origin
from shared.repositories.unit_of_work import unit_of_work

POSTMASTER = Path(".local/postgres/postmaster.pid")
"""There while PostgreSQL runs (its storage.sgml, "postmaster.pid")."""
SOCKET_FOLDER = 4
"""The line of it, from 0."""


@asynccontextmanager
async def open_accounts(*, local: bool) -> AsyncIterator[Accounts]:
    """Raises ConfigurationError, or Refused when `make run` does not run here."""
    settings = _local_settings() if local else DatabaseSettings.from_environment()
    engine = create_engine(settings)
    try:
        yield Accounts(await unit_of_work(Database(engine), Origin("operator")))
    finally:
        await engine.dispose()


def _local_settings() -> DatabaseSettings:
    try:
        folder = POSTMASTER.read_text().splitlines()[SOCKET_FOLDER]
    except (OSError, IndexError):
        raise Refused("`make run` does not run in this folder") from None
    url = f"postgresql://postgres@/postgres?host={quote(folder)}"
    return DatabaseSettings.from_environment({"DATABASE_URL": url})
