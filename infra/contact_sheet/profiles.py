"""ICC profiles, as small as they can be (ICC.1:2010, 7, 8 and 10)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

RED, GREEN, BLUE = (0.4361, 0.2225, 0.0139), (0.3851, 0.7169, 0.0971), (0.1431, 0.0606, 0.7141)
"""The primaries of sRGB, as XYZ under D50."""
WHITE = (0.9642, 1.0, 0.8249)


def profile(space: bytes, tags: dict[bytes, bytes], connection: bytes = b"XYZ ") -> bytes:
    offset = 128 + 4 + 12 * len(tags)
    table, data = struct.pack(">I", len(tags)), b""
    for signature, value in tags.items():
        table += signature + struct.pack(">II", offset + len(data), len(value))
        data += value
    header = struct.pack(
        ">I4xI4s4s4s12x4s28x", offset + len(data), 0x04300000, b"mntr", space, connection, b"acsp"
    )
    return header + _numbers(*WHITE) + bytes(48) + table + data


def _numbers(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _xyz(*values: float) -> bytes:
    return b"XYZ \0\0\0\0" + _numbers(*values)


def _linear() -> bytes:
    return struct.pack(">4s4xI", b"curv", 0)


def _gamma(exponent: float) -> bytes:
    return b"para\0\0\0\0" + struct.pack(">H2x", 0) + _numbers(exponent)


def _srgb() -> bytes:
    """The curve of sRGB: ((x + 0.055) / 1.055) ^ 2.4, and x / 12.92 below 0.04045."""
    return struct.pack(">4s4xH2x", b"para", 3) + _numbers(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)


def _matrix(red: tuple[float, ...], green: tuple[float, ...], blue: tuple[float, ...], curve: bytes) -> bytes:
    primaries = {b"rXYZ": _xyz(*red), b"gXYZ": _xyz(*green), b"bXYZ": _xyz(*blue)}
    curves = {name: curve for name in (b"rTRC", b"gTRC", b"bTRC")}
    return profile(b"RGB ", {b"wtpt": _xyz(*WHITE), **primaries, **curves})


SWAPPED = _matrix(BLUE, GREEN, RED, _srgb())
"""sRGB with its red and blue swapped: what is converted by it can be told from what is not."""
DISPLAY_P3 = _matrix((0.5151, 0.2412, -0.0011), (0.2920, 0.6922, 0.0419), (0.1571, 0.0666, 0.7841), _srgb())
ADOBE_RGB = _matrix(
    (0.6097, 0.3111, 0.0195), (0.2053, 0.6257, 0.0609), (0.1492, 0.0632, 0.7446), _gamma(563 / 256)
)
"""Adobe RGB (1998), 4.3.1.2, under D50."""
LINEAR_GREY = profile(b"GRAY", {b"wtpt": _xyz(*WHITE), b"kTRC": _linear()})


def _table(lightness: Sequence[int]) -> bytes:
    """Return greys, of 255, by how much of the last of four inks there is: none, or all."""
    straight = bytes(range(256))
    grid = b"".join(bytes((lightness[number % 2], 128, 128)) for number in range(2**4))
    identity = _numbers(1, 0, 0, 0, 1, 0, 0, 0, 1)
    return b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + identity + 4 * straight + grid + 3 * straight


LIGHTEST, DARKEST = 255, 51
"""Of paper, and of paper under all ink."""
PRINT = profile(
    b"CMYK",
    {b"wtpt": _xyz(*WHITE), b"A2B0": _table((128, 128)), b"A2B1": _table((LIGHTEST, DARKEST))},
    b"Lab ",
)
"""A printer of greys, and by its perceptual intent of one grey alone."""
