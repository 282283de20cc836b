"""Pictures that are too large for a request or an answer: they stay in object storage, and are named."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from hashlib import sha256
from uuid import UUID

from shared.db.storage import ADDRESS_SECONDS, ObjectStorage, check_length
from shared.errors import ResultTooLarge
from shared.images.pipeline import Picture
from shared.object_keys import result_key, upload_key


@dataclass(frozen=True, slots=True)
class StoredPictures:
    """Of one user: no name leads to another's."""

    storage: ObjectStorage
    user: UUID
    answer_bytes: int | None
    """The most that an answer has room for; None for any number."""

    async def read(self, source: UUID, limit: int) -> bytes:
        """Return an upload. Raises SourceNotFound, or SourceTooLarge before a byte of it is read."""
        key = upload_key(self.user, source)
        stored = await self.storage.head(key)
        check_length(stored.length, limit)
        return await self.storage.get(key, limit=limit, etag=stored.etag)

    async def address(self, picture: Picture, filename: str) -> str | None:
        """Store a result that is too large for the answer, and return its address; None for any other.

        Raises ResultTooLarge where there is no storage.
        """
        actual, limit = len(picture.content), self.answer_bytes
        if limit is None or actual <= limit:
            return None
        if not self.storage.is_configured:
            raise ResultTooLarge(
                f"It has more than {limit} bytes, and there is no object storage here to get it from.",
                limit=limit,
                actual=actual,
            )
        digest = await asyncio.to_thread(lambda: sha256(picture.content).hexdigest())
        media_type = picture.format.media_type
        key = result_key(self.user, digest, picture.format.extension)
        await self.storage.put(key, picture.content, media_type)
        return await self.storage.presigned_get(
            key, expires_in=ADDRESS_SECONDS, filename=filename, content_type=media_type
        )
