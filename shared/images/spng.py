"""libspng, as pyspng's wheel has it: https://libspng.org/docs/.

Called without pyspng, which holds the interpreter's lock while it decodes, and ignores every checksum.
"""

from __future__ import annotations

from ctypes import CDLL, c_char, c_char_p, c_int, c_size_t, c_void_p
from functools import lru_cache
from importlib.util import find_spec

AS_STORED = 256
"""SPNG_FMT_PNG: no conversion."""
NOT_CHECKED = 2
"""SPNG_CRC_USE, for the chunks; the checksum of what is deflated is checked all the same."""


class SpngError(Exception):
    """Raised with the number of libspng's error."""


def decode(source: bytes, pixels: bytearray, length: int) -> None:
    """Write the first `length` bytes of `pixels`: all of the picture, row by row. Raises SpngError."""
    library = _library()
    context = library.spng_ctx_new(0)
    if not context:
        raise MemoryError
    try:
        _check(library.spng_set_png_buffer(context, source, len(source)))
        _check(library.spng_set_crc_action(context, NOT_CHECKED, NOT_CHECKED))
        target = (c_char * length).from_buffer(pixels)
        _check(library.spng_decode_image(context, target, length, AS_STORED, 0))
    finally:
        library.spng_ctx_free(context)


def _check(error: int) -> None:
    if error:
        raise SpngError(error)


@lru_cache(1)
def _library() -> CDLL:
    module = find_spec("_pyspng_c")
    if module is None or module.origin is None:
        raise ImportError("pyspng-seunglab is not installed")
    library = CDLL(module.origin)
    library.spng_ctx_new.restype = c_void_p
    library.spng_ctx_new.argtypes = (c_int,)
    library.spng_ctx_free.restype = None
    library.spng_ctx_free.argtypes = (c_void_p,)
    library.spng_set_png_buffer.argtypes = (c_void_p, c_char_p, c_size_t)
    library.spng_set_crc_action.argtypes = (c_void_p, c_int, c_int)
    library.spng_decode_image.argtypes = (c_void_p, c_void_p, c_size_t, c_int, c_int)
    return library
