"""Opens the database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from shared.config import DatabaseSettings
from shared.db.liveness import verify_liveness
from shared.db.session import Database
from shared.errors import ConfigurationError

POOL_RECYCLE_SECONDS = 280
"""Below the 300 to 350 s at which NAT gateways and proxies drop an idle connection without a word."""
CONNECT_TIMEOUT_SECONDS = 5
POOL_TIMEOUT_SECONDS = 5
COMMAND_TIMEOUT_SECONDS = 10

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
"""The values of libpq's `sslmode`, which asyncpg takes as its `ssl`."""


def create_engine(settings: DatabaseSettings, *, patient: bool = False, pooled: bool = True) -> AsyncEngine:
    """Return an engine; no connection is made before the first use. A patient one waits for any statement.

    Raises ConfigurationError for a URL that cannot be used.
    """
    engine = create_async_engine(
        _asyncpg_url(settings.database_url.get_secret_value()),
        # Errors quote their statement; its parameters, a password hash among them, are for no log.
        hide_parameters=True,
        **(_pool(settings.pool_size) if pooled else {"poolclass": NullPool}),
        connect_args={
            "timeout": CONNECT_TIMEOUT_SECONDS,
            "command_timeout": None if patient else COMMAND_TIMEOUT_SECONDS,
        },
    )
    verify_liveness(engine)
    return engine


def _pool(size: int) -> dict[str, Any]:
    return {
        "pool_size": size,
        "max_overflow": 0,
        "pool_recycle": POOL_RECYCLE_SECONDS,
        "pool_timeout": POOL_TIMEOUT_SECONDS,
    }


def _asyncpg_url(text: str) -> URL:
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # `from None`: the message would quote the URL, and its password.
        raise ConfigurationError("DATABASE_URL: is no database URL") from None
    if url.get_backend_name() not in ("postgresql", "postgres"):
        raise ConfigurationError("DATABASE_URL: is no PostgreSQL URL")
    return url.set(drivername="postgresql+asyncpg", query=_asyncpg_query(url))


def _asyncpg_query(url: URL) -> dict[str, str | tuple[str, ...]]:
    """Return the query in asyncpg's words, of which libpq has others and more."""
    query = dict(url.query)
    mode = query.pop("sslmode", None)
    if unknown := sorted(query.keys() - {"host"}):
        raise ConfigurationError(f"DATABASE_URL: takes no parameter {', '.join(unknown)}")
    if mode is None:
        return query
    if mode not in SSL_MODES:
        raise ConfigurationError(f"DATABASE_URL: sslmode is none of {', '.join(SSL_MODES)}")
    return query | {"ssl": mode}


@asynccontextmanager
async def open_database(app: FastAPI) -> AsyncIterator[None]:
    """Put a Database on `app.state`."""
    engine = create_engine(DatabaseSettings.from_environment())
    app.state.database = Database(engine)
    try:
        yield
    finally:
        await engine.dispose()
