"""Opens the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.config import DatabaseSettings
from shared.db.session import Database
from shared.errors import ConfigurationError

POOL_RECYCLE_SECONDS = 280
"""Below the 300 to 350 s at which NAT gateways and proxies drop an idle connection without a word."""
CONNECT_TIMEOUT_SECONDS = 5
COMMAND_TIMEOUT_SECONDS = 10


def create_engine(settings: DatabaseSettings) -> AsyncEngine:
    """Return an engine; no connection is made before the first use.

    A socket may have died while the process was frozen: `pool_pre_ping` finds that out before a query does.
    """
    return create_async_engine(
        _asyncpg_url(settings.database_url.get_secret_value()),
        # Errors quote their statement; its parameters, a password hash among them, are for no log.
        hide_parameters=True,
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_pre_ping=True,
        pool_recycle=POOL_RECYCLE_SECONDS,
        pool_timeout=CONNECT_TIMEOUT_SECONDS,
        connect_args={
            "timeout": CONNECT_TIMEOUT_SECONDS,
            "command_timeout": COMMAND_TIMEOUT_SECONDS,
        },
    )


def _asyncpg_url(text: str) -> URL:
    try:
        url = make_url(text)
    except ArgumentError:
        # `from None`: the message would quote the URL, and its password.
        raise ConfigurationError("DATABASE_URL: is no database URL") from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigurationError("DATABASE_URL: is no PostgreSQL URL")
    return url.set(drivername="postgresql+asyncpg")


@asynccontextmanager
async def open_database(app: FastAPI) -> AsyncIterator[None]:
    """Put a Database on `app.state`."""
    engine = create_engine(DatabaseSettings.from_environment())
    app.state.database = Database(engine)
    try:
        yield
    finally:
        await engine.dispose()
