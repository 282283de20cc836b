from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.errors import IdempotencyKeyReused
from shared.models.media.idempotency_key import IdempotencyKey


class IdempotencyKeys:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def job_of(self, user_id: UUID, key: str, fingerprint: bytes) -> UUID | None:
        """Return the job that the request made when it came before, or None.

        Raises IdempotencyKeyReused where the key was given to another request.
        """
        statement = select(IdempotencyKey).where(IdempotencyKey.user_id == user_id, IdempotencyKey.key == key)
        kept = await self._session.scalar(statement)
        if kept is None:
            return None
        if kept.fingerprint != fingerprint:
            raise IdempotencyKeyReused("It came before with another request, or another picture.")
        return kept.job_id

    async def claim(self, user_id: UUID, key: str, fingerprint: bytes, job_id: UUID) -> bool:
        """Store whose job the key is. False where it is taken; of several at once, all but one wait first."""
        statement = (
            insert(IdempotencyKey)
            .values(user_id=user_id, key=key, fingerprint=fingerprint, job_id=job_id)
            .on_conflict_do_nothing()
            .returning(IdempotencyKey.key)
        )
        return await self._session.scalar(statement) is not None
