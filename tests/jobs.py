"""Jobs for a test to look at."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import asyncpg

from shared.repositories.jobs import OutputState
from shared.repositories.unit_of_work import UnitOfWork

PARAMS: list[dict[str, Any]] = [{"width": 200}, {"width": 100, "format": "png"}]
OUTPUTS = [
    OutputState("results/1.jpg", 200, 133, 5000, "image/jpeg"),
    OutputState("results/2.png", 100, 67, 9000, "image/png"),
]


async def add_user(begin: UnitOfWork) -> UUID:
    async with begin() as repositories:
        user_id = await repositories.users.add(f"user-{uuid4()}", "no hash")
    assert user_id is not None
    return user_id


async def add_job(begin: UnitOfWork, user_id: UUID | None = None, params: Any = PARAMS) -> UUID:
    owner = user_id or await add_user(begin)
    async with begin() as repositories:
        return (await repositories.jobs.add(owner, params, None)).id


async def failed_job(database_url: str, user_id: str) -> str:
    """Store a job that has failed, for those who have no unit of work; return its id."""
    connection = await asyncpg.connect(database_url)
    try:
        found: UUID = await connection.fetchval(
            "INSERT INTO media.jobs (user_id, status, finished_at, params, problem) "
            """VALUES ($1, 'failed', now(), '[{}]', '{"code": "source_unreadable"}') RETURNING id""",
            user_id,
        )
    finally:
        await connection.close()
    return str(found)
