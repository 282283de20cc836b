"""Files put together by hand, for what no writer of pictures would write."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Mapping, Sequence

from tests.pictures import encoded, quadrants

AFTER_START = 2
"""Where the segments of a JPEG begin."""
AFTER_HEADER = 33
"""Where the chunks of a PNG begin that come after its first."""

SHORT, LONG, RATIONAL, LONG8 = 3, 4, 5, 16
BLOCKS_AT = 8
"""Where the blocks of a TIFF made here lie."""


def segment(marker: int, data: bytes = b"") -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data


def jpeg_with(*segments: bytes, source: bytes = encoded(quadrants(), "JPEG")) -> bytes:
    return source[:AFTER_START] + b"".join(segments) + source[AFTER_START:]


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_with(*chunks: bytes, after: bool = False, source: bytes = encoded(quadrants(), "PNG")) -> bytes:
    at = source.index(b"IEND") - 4 if after else AFTER_HEADER
    return source[:at] + b"".join(chunks) + source[at:]


Tag = tuple[int, Sequence[int]]
"""Type and numbers."""


def tiff(tags: Mapping[int, Tag] | Sequence[tuple[int, Tag]], blocks: bytes = b"") -> bytes:
    """Return a TIFF of grey, one strip unless the tags say otherwise."""
    entries = [*tags.items()] if isinstance(tags, Mapping) else [*tags]
    body = blocks + bytes(len(blocks) % 2)
    directory = struct.pack("<H", len(entries))
    for tag, (kind, numbers) in entries:
        letter = {SHORT: "H", LONG: "I", RATIONAL: "Q", LONG8: "Q"}[kind]
        value = struct.pack(f"<{len(numbers)}{letter}", *numbers)
        if len(value) > 4:
            value, body = struct.pack("<I", BLOCKS_AT + len(body)), body + value
        directory += struct.pack("<HHI", tag, kind, len(numbers)) + value.ljust(4, b"\0")
    return b"II*\0" + struct.pack("<I", BLOCKS_AT + len(body)) + body + directory + bytes(4)


def grey(width: int, height: int, compression: int = 1) -> dict[int, Tag]:
    """Return the tags of a grey picture besides those of its blocks."""
    return {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [8]),
        259: (SHORT, [compression]),
        262: (SHORT, [1]),
        277: (SHORT, [1]),
    }


def box(kind: bytes, *parts: bytes) -> bytes:
    data = b"".join(parts)
    return struct.pack(">I4s", 8 + len(data), kind) + data


def full_box(kind: bytes, version: int, *parts: bytes) -> bytes:
    return box(kind, struct.pack(">I", version << 24), *parts)


def found_box(source: bytes, kind: bytes) -> bytes:
    """Return the first box of this kind as it stands."""
    at = source.index(kind) - 4
    return source[at : at + int.from_bytes(source[at : at + 4], "big")]


Item = tuple[int, bytes, bytes, Sequence[int]]
"""Id, kind, data, and the properties by their place among those of the AVIF they come from, from 1."""


def avif(
    template: bytes,
    items: Sequence[Item],
    properties: Sequence[bytes] = (),
    references: bytes = b"",
    more: Sequence[bytes] = (),
) -> bytes:
    """Return an AVIF of these items, the first being the picture; its properties are those of `template`."""
    kept = [found_box(template, kind) for kind in (b"ispe", b"pixi", b"av1C")]

    def head(at: int) -> bytes:
        places, kinds, uses = b"", b"", b""
        for item, kind, data, used in items:
            places += struct.pack(">HHHII", item, 0, 1, at, len(data))
            kinds += full_box(b"infe", 2, struct.pack(">HH4s", item, 0, kind), b"\0")
            uses += struct.pack(">HB", item, len(used)) + bytes(used)
            at += len(data)
        return box(b"ftyp", b"avif\0\0\0\0avifmif1miaf") + full_box(
            b"meta",
            0,
            full_box(b"hdlr", 0, bytes(4), b"pict", bytes(13)),
            full_box(b"pitm", 0, struct.pack(">H", items[0][0])),
            full_box(b"iloc", 0, b"\x44\0", struct.pack(">H", len(items)), places),
            full_box(b"iinf", 0, struct.pack(">H", len(items)), kinds),
            full_box(b"iref", 0, references) if references else b"",
            box(
                b"iprp",
                box(b"ipco", *kept, *properties),
                full_box(b"ipma", 0, struct.pack(">I", len(items)), uses),
            ),
            *more,
        )

    return head(len(head(0)) + 8) + box(b"mdat", *(data for _, _, data, _ in items))
