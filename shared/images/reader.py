"""The bytes of a picture as Pillow reads them."""

from __future__ import annotations

import io

from shared.images.limits import check_at_most

MAXIMUM_READS = 2**19
"""Twice the strips of the tallest TIFF, a row each in four planes. Decoders in C are given 64 KiB at a time;
all else are loops in Python, over the padding of a JPEG, the blocks of a GIF, the tags of a TIFF."""


class CountedReader(io.BytesIO):
    """Raises SourceUnreadable when it has been read from too often."""

    def __init__(self, source: bytes) -> None:
        super().__init__(source)
        self._reads = 0

    def read(self, size: int | None = -1, /) -> bytes:
        self._reads += 1
        check_at_most(MAXIMUM_READS, self._reads, "parts")
        return super().read(size)
