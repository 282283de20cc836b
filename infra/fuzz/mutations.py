"""Ways to damage a file."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Sequence
from random import Random

from shared.images.structure.png import SIGNATURE, chunks

MAXIMUM_BYTES = 2**18
INTERESTING = (0, 1, 2, 0x7F, 0x80, 0xFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
"""Numbers that lengths, sizes and offsets go wrong at."""


def mutate(random: Random, files: Sequence[bytes]) -> bytes:
    source = bytearray(random.choice(files))
    for _ in range(random.choice((1, 1, 2, 4, 8, 32))):
        random.choice(MUTATIONS)(random, source, files)
    del source[MAXIMUM_BYTES:]
    # Wrong checksums would keep all else that is wrong from being looked at.
    return _with_right_checks(bytes(source)) if random.random() < 0.7 else bytes(source)


def _flip(random: Random, source: bytearray, files: Sequence[bytes]) -> None:
    if source:
        source[random.randrange(len(source))] ^= 1 << random.randrange(8)


def _overwrite(random: Random, source: bytearray, files: Sequence[bytes]) -> None:
    at, length = random.randint(0, len(source)), random.randint(1, 8)
    source[at : at + length] = random.randbytes(length)


def _number(random: Random, source: bytearray, files: Sequence[bytes]) -> None:
    at, value = random.randint(0, len(source)), random.choice(INTERESTING)
    kind = random.choice(("<H", ">H", "<I", ">I", "B"))
    size = struct.calcsize(kind)
    source[at : at + size] = struct.pack(kind, value % 2 ** (8 * size))


def _remove(random: Random, source: bytearray, files: Sequence[bytes]) -> None:
    at = random.randint(0, len(source))
    del source[at : at + random.choice((1, 2, 4, 16, 256))]


def _cut(random: Random, source: bytearray, files: Sequence[bytes]) -> None:
    del source[random.randint(0, len(source)) :]


def _repeat(random: Random, source: bytearray, files: Sequence[bytes]) -> None:
    at, length = random.randint(0, len(source)), random.choice((1, 4, 16, 64, 512))
    source[at:at] = source[at : at + length] * random.choice((1, 1, 2, 50))


def _splice(random: Random, source: bytearray, files: Sequence[bytes]) -> None:
    other = random.choice(files)
    at, start = random.randint(0, len(source)), random.randint(0, len(other))
    source[at:] = other[start:]


Mutation = Callable[[Random, bytearray, Sequence[bytes]], None]
MUTATIONS: tuple[Mutation, ...] = (
    _flip,
    _flip,
    _overwrite,
    _number,
    _number,
    _remove,
    _cut,
    _repeat,
    _splice,
)


def _with_right_checks(source: bytes) -> bytes:
    if not source.startswith(SIGNATURE):
        return source
    right = bytearray(source)
    for chunk in chunks(source):
        end = chunk.start + chunk.length
        if end + 4 <= len(source):
            right[end : end + 4] = struct.pack(">I", zlib.crc32(source[chunk.start - 4 : end]))
    return bytes(right)
