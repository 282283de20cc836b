"""Who waits for a job is woken when its status is set, by PostgreSQL's NOTIFY."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast
from uuid import UUID

from asyncpg import InterfaceError, PostgresError
from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from shared.db.session import UNREACHABLE, unavailable

CHANNEL = "media_jobs"
"""On which the id of a job is told when its status is set."""


class JobChanges:
    """One connection that listens for all who wait. It is there while anybody waits, and is no pool's.

    A process that is frozen between two requests so has none that could die meanwhile.
    """

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: dict[str, set[asyncio.Event]] = {}
        self._connection: AsyncConnection | None = None
        self._is_lost = False
        self._lock = asyncio.Lock()

    @asynccontextmanager
    async def of(self, job_id: UUID) -> AsyncIterator[asyncio.Event]:
        """Give an event that is set when the job's status is, or when nobody can tell any more."""
        changed, name = asyncio.Event(), str(job_id)
        self._waiting.setdefault(name, set()).add(changed)
        try:
            await self._listen()
            yield changed
        finally:
            self._waiting[name].discard(changed)
            if not self._waiting[name]:
                del self._waiting[name]
            await self._close_if_unused()

    async def _listen(self) -> None:
        async with self._lock:
            if self._connection is not None and not self._is_lost:
                return
            await self._disconnect()
            try:
                self._connection = await self._connect()
            except (*UNREACHABLE, InterfaceError, PostgresError) as error:
                raise unavailable(error) from error

    async def _connect(self) -> AsyncConnection:
        connection = await self._engine.connect()
        try:
            driver: Any = (await connection.get_raw_connection()).driver_connection
            self._is_lost = False
            driver.add_termination_listener(self._lose)
            await driver.add_listener(CHANNEL, self._wake)
        except BaseException:
            await connection.invalidate()
            await connection.close()
            raise
        return connection

    async def _close_if_unused(self) -> None:
        async with self._lock:
            if not self._waiting:
                await self._disconnect()

    async def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.invalidate()
            await connection.close()

    def _wake(self, connection: object, process: int, channel: str, payload: object) -> None:
        for changed in self._waiting.get(str(payload), ()):
            changed.set()

    def _lose(self, connection: object) -> None:
        self._is_lost = True
        for waiting in self._waiting.values():
            for changed in waiting:
                changed.set()


async def job_changes(request: Request) -> JobChanges:
    return cast(JobChanges, request.app.state.job_changes)
