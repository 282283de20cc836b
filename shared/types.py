"""Types that many packages speak in."""

import unicodedata
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated

from fastapi import FastAPI
from pydantic import AfterValidator, Field

MAXIMUM_USERNAME_CHARACTERS = 128

Resource = Callable[[FastAPI], AbstractAsyncContextManager[None]]
"""Opens one thing the app needs, puts it on `app.state`, and closes it at the end."""


def _printable(name: str) -> str:
    composed = unicodedata.normalize("NFKC", name)
    if any(unicodedata.category(character)[0] == "C" for character in composed):
        raise ValueError("control characters are not allowed")
    if composed != composed.strip():
        raise ValueError("white space at its ends is not allowed")
    return composed


Username = Annotated[
    str,
    Field(min_length=1, max_length=MAXIMUM_USERNAME_CHARACTERS, examples=["ada"]),
    AfterValidator(_printable),
]
"""A name in NFKC: PostgreSQL stores no NUL, and nobody can tell two spellings of one name apart."""
