"""Sessions in the database, of any age."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID, uuid4

import asyncpg

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)

ADD = """
WITH owner AS (
    INSERT INTO identity.users (username, username_folded, password_hash) VALUES ($1, $1, '') RETURNING id
)
INSERT INTO identity.sessions (user_id, created_at, refreshed_at, expires_at, revoked_at)
SELECT id, begun, begun, begun + interval '1 day', now() - $3::interval
FROM owner, (SELECT now() - $2::interval - interval '1 day' AS begun) AS times
RETURNING id
"""


async def add_session(url: str, *, ended: timedelta, revoked: timedelta | None = None) -> UUID:
    """Store a session, of a user of its own, whose refresh token ended that long ago; before 0, it will."""
    connection = await asyncpg.connect(url)
    try:
        session_id: UUID = await connection.fetchval(ADD, f"user-{uuid4()}", ended, revoked)
    finally:
        await connection.close()
    return session_id


async def stored(url: str, table: str = "sessions") -> set[UUID]:
    connection = await asyncpg.connect(url)
    try:
        return {row["id"] for row in await connection.fetch(f"SELECT id FROM identity.{table}")}
    finally:
        await connection.close()
