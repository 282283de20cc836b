"""Finds out that a pooled connection is dead before a query does."""

from __future__ import annotations

import select
import time
from typing import Any

from sqlalchemy import event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

TRUSTED_SECONDS = 1.0
"""For which a connection is taken to live on: a ping is three round trips, as many as a transaction."""
RETURNED_AT = "passepartout.returned_at"


def verify_liveness(engine: AsyncEngine) -> None:
    """Look at each connection when it is taken from the pool, and replace the pool when it is dead.

    It is asked where there may be news of its end: it has lain idle, and a frozen process or a gateway says
    nothing, or there is something to read on it. The wall clock tells, the only one that goes on while a
    process is frozen.
    """
    dialect = engine.sync_engine.dialect

    @event.listens_for(engine.sync_engine, "checkout")
    def verify(
        connection: DBAPIConnection, entry: ConnectionPoolEntry, proxied: PoolProxiedConnection
    ) -> None:
        if RETURNED_AT not in entry.info:
            return
        if _is_trusted(entry.info[RETURNED_AT]) and not _has_news(entry.driver_connection):
            return
        try:
            dialect.do_ping(connection)
        except dialect.loaded_dbapi.Error as error:
            raise InvalidatePoolError from error

    @event.listens_for(engine.sync_engine, "checkin")
    def note(connection: DBAPIConnection | None, entry: ConnectionPoolEntry) -> None:
        entry.info[RETURNED_AT] = time.time()


def _is_trusted(returned_at: float) -> bool:
    return 0 <= time.time() - returned_at < TRUSTED_SECONDS


def _has_news(driver: Any) -> bool:
    """Tell whether the server has closed it, also where no event loop has run since, as between two events.

    Nothing else is to come on a connection that is idle.
    """
    if driver.is_closed():
        return True
    # asyncpg gives its socket to nobody else.
    news = select.poll()
    news.register(driver._transport.get_extra_info("socket"), select.POLLIN)
    return bool(news.poll(0))
