"""JPEG: the segments before the first scan, and the scans (ITU-T T.81, annex B)."""

from __future__ import annotations

import re

from shared.images.limits import MAXIMUM_EXIF_BYTES, check_at_most

SIGNATURE = b"\xff\xd8\xff"

MAXIMUM_SEGMENTS = 1024
"""Up to the first scan, and after it. Extended XMP and profiles take some 300; Pillow keeps them all."""
MAXIMUM_HEADER_BYTES = 16 * 2**20
"""Up to the first scan. Extended XMP with a second picture and its sound, as in Cardboard's, takes 10 MB."""
MAXIMUM_SCANS = 100
"""As libtiff has it. Even an empty one goes over the whole picture. Encoders make 10, or 18 of CMYK."""

MARKER = re.compile(rb"\xff[^\x00\xff]")
MARKER_AFTER_SCAN = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")
"""Restarts belong to the scan."""
WITHOUT_LENGTH = frozenset((0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)))
"""As Pillow has it."""
FRAMES = frozenset((*range(0xC0, 0xD0), 0xDE)) - {0xC4, 0xC8, 0xCC}
PROGRESSIVE = frozenset((0xC2, 0xC6, 0xCA, 0xCE))
END, SCAN, APP1 = 0xD9, 0xDA, 0xE1


def check(source: bytes) -> None:
    """Raises SourceUnreadable."""
    has_scans, components = False, 0
    at, segments, exif = len(SIGNATURE) - 1, 0, 0
    while found := MARKER.search(source, at):
        marker, at = source[found.end() - 1], found.end()
        segments += 1
        check_at_most(MAXIMUM_SEGMENTS, segments, "segments")
        check_at_most(MAXIMUM_HEADER_BYTES, at, "bytes before its first scan")
        if marker in WITHOUT_LENGTH:
            continue
        if marker in FRAMES:
            has_scans, components = has_scans or marker in PROGRESSIVE, source[at + 7]
        elif marker == APP1 and source.startswith(b"Exif\0\0", at + 2):
            exif += _length(source, at)
            check_at_most(MAXIMUM_EXIF_BYTES, exif, "bytes of EXIF")
        elif marker == SCAN:
            # One that has all components is all there is, and need not be searched for the next.
            if has_scans or source[at + 2] < components:
                _check_scans(source, at)
            return
        at += _length(source, at)


def _check_scans(source: bytes, at: int) -> None:
    scans, segments = 1, 1
    at += _length(source, at)
    while found := MARKER_AFTER_SCAN.search(source, at):
        marker, at = source[found.end() - 1], found.end()
        if marker == END:
            return
        segments += 1
        scans += marker == SCAN
        check_at_most(MAXIMUM_SCANS, scans, "scans")
        check_at_most(MAXIMUM_SEGMENTS, segments, "segments")
        at += _length(source, at)


def _length(source: bytes, at: int) -> int:
    """Return the length of the segment, its own two bytes included."""
    return max(2, int.from_bytes(source[at : at + 2], "big"))
