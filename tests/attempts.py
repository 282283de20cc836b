"""Passwords that were tried in vain."""

from __future__ import annotations

import asyncpg


async def forget_attempts(url: str) -> None:
    """Let every account be tried as if it had never been."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("DELETE FROM identity.attempts")
    finally:
        await connection.close()
