"""libtiff, as Pillow's wheel has it: https://libtiff.gitlab.io/libtiff/functions/TIFFError.html."""

from __future__ import annotations

from ctypes import CDLL, c_void_p
from functools import lru_cache
from importlib.metadata import files


@lru_cache(1)
def silence() -> None:
    """Have it write nothing to standard error, where it has a line for each fault of a file.

    Pillow has no switch for that, and tells of the faults by what it raises. Without effect where Pillow was
    built for the libtiff of the system.
    """
    for file in files("pillow") or ():
        if file.name.startswith("libtiff"):
            library = CDLL(str(file.locate()))
            for handler in (library.TIFFSetErrorHandler, library.TIFFSetWarningHandler):
                handler.restype, handler.argtypes = c_void_p, (c_void_p,)
                handler(None)
