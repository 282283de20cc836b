from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID, uuid4

from functions.upload.schemas import UploadTicket
from shared.db.storage import ADDRESS_SECONDS, ObjectStorage, check_length
from shared.errors import SourceUnsupported
from shared.images.formats import SOURCE_MEDIA_TYPES
from shared.object_keys import upload_key


@dataclass(frozen=True, slots=True)
class Uploads:
    storage: ObjectStorage
    maximum_bytes: int

    async def ticket(self, user: UUID, content_type: str, content_length: int) -> UploadTicket:
        """Return an address that takes one picture of this type and this very length, and the name it gets.

        Raises SourceUnsupported, SourceTooLarge or StorageUnavailable.
        """
        media_type = content_type.lower()
        if media_type not in SOURCE_MEDIA_TYPES:
            raise SourceUnsupported(f"These are read: {', '.join(SOURCE_MEDIA_TYPES)}.")
        check_length(content_length, self.maximum_bytes)
        source = uuid4()
        url = await self.storage.presigned_put(
            upload_key(user, source),
            content_type=media_type,
            content_length=content_length,
            expires_in=ADDRESS_SECONDS,
        )
        return UploadTicket(
            source=str(source),
            url=url,
            method="PUT",
            headers={"Content-Type": media_type},
            expires_in=ADDRESS_SECONDS,
        )
