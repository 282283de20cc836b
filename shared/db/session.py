"""Typed access to the database that `on_startup.database` opened."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import Request
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker

from shared.errors import DatabaseUnavailable

RETRY_AFTER_SECONDS = 5
CONFLICT_RETRY_AFTER_SECONDS = 1

UNREACHABLE = (OSError, InterfaceError, OperationalError, PoolTimeout)
CONFLICTS = ("40001", "40P01")
"""serialization_failure and deadlock_detected (PostgreSQL, appendix A): it gave way to another."""

logger = logging.getLogger("passepartout.database")


class Database:
    """Gives out transactions; a connection is taken from the pool only for the time of one."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._atomic = _sessions(engine)
        self._each_alone = _sessions(engine.execution_options(isolation_level="AUTOCOMMIT"))

    @asynccontextmanager
    async def transaction(self, *, atomic: bool = True) -> AsyncIterator[AsyncSession]:
        """Commit at the end, roll back on an error. Where not `atomic`, each statement is committed alone.

        Raises DatabaseUnavailable when it cannot be reached, and when the transaction had to give way to
        another. It is the caller who comes again: what was read in it may have been acted on.
        """
        try:
            async with (self._atomic if atomic else self._each_alone).begin() as session:
                yield session
        except UNREACHABLE as error:
            raise unavailable(error) from error
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) in CONFLICTS:
                raise unavailable(error, CONFLICT_RETRY_AFTER_SECONDS) from error
            # Without a statement it was the connection that the server refused or lost.
            if error.connection_invalidated or error.statement is None:
                raise unavailable(error) from error
            raise


def _sessions(engine: AsyncEngine) -> async_sessionmaker[AsyncSession]:
    # No object outlives a statement that would have to be kept in step with it.
    options = {"synchronize_session": False}
    return async_sessionmaker(engine, expire_on_commit=False, execution_options=options)


def unavailable(error: Exception, retry_after: int = RETRY_AFTER_SECONDS) -> DatabaseUnavailable:
    """Log why, which the caller is not told, and return what he is."""
    logger.error("database unavailable: %s: %s", type(error).__name__, error)
    return DatabaseUnavailable("Please try again shortly.", retry_after=retry_after)


async def database(request: Request) -> Database:
    """The app's database, for an endpoint to depend on."""
    return cast(Database, request.app.state.database)
