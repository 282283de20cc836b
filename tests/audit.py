"""The audit trail, as it is stored."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import asyncpg

FIND = """
SELECT event, outcome, actor, user_id, account, session_id, host(address) AS address, user_agent
FROM identity.audit_events WHERE request_id = $1 ORDER BY id
"""


@dataclass(frozen=True)
class Audited:
    event: str
    outcome: str
    actor: str
    user_id: UUID | None
    account: bytes | None
    session_id: UUID | None
    address: str | None
    user_agent: str | None


async def audited(url: str, request_id: str) -> list[Audited]:
    """Return what the requests of this id have left, in order."""
    connection = await asyncpg.connect(url)
    try:
        return [Audited(**row) for row in await connection.fetch(FIND, request_id)]
    finally:
        await connection.close()
