"""The chores around objects: a bucket whose server knows no lifecycle rules is kept small all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar
from uuid import uuid4

from functions.janitor.service import Chore
from shared.db.storage import PAGE, ListedObject, ObjectStorage
from shared.object_keys import RESULTS, UPLOADS

PAGES_PER_EVENT = 20


@dataclass(frozen=True, slots=True)
class OldObjects(Chore):
    """Deletes what was last written too long ago, whoever may name it; none, where there is no storage.

    Where the bucket has more than an event looks through, each begins somewhere else.
    """

    prefix: ClassVar[str]
    storage: ObjectStorage
    retention: timedelta

    async def remove(self) -> AsyncIterator[int]:
        before = datetime.now(UTC) - self.retention
        async for page in self._pages():
            old = [each.key for each in page if each.written_at < before]
            if old:
                await self.storage.delete(old)
            yield len(old)

    async def _pages(self) -> AsyncIterator[list[ListedObject]]:
        """Give the objects from a random user's to the last, and from the first to that user's."""
        after = beginning = f"{self.prefix}{uuid4()}"
        is_second_half = False
        for _ in range(PAGES_PER_EVENT if self.storage.is_configured else 0):
            page = await self.storage.page(self.prefix, after)
            yield [each for each in page if not is_second_half or each.key <= beginning]
            if len(page) == PAGE and not (is_second_half and page[-1].key > beginning):
                after = page[-1].key
            elif is_second_half:
                return
            else:
                after, is_second_half = self.prefix, True


@dataclass(frozen=True, slots=True)
class OldUploads(OldObjects):
    kind = "old_uploads"
    prefix = UPLOADS


@dataclass(frozen=True, slots=True)
class OldResults(OldObjects):
    kind = "old_results"
    prefix = RESULTS
