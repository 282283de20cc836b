"""Types that many packages speak in."""

import re
import unicodedata
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Annotated

from fastapi import FastAPI
from pydantic import AfterValidator, Field

MAXIMUM_USERNAME_CHARACTERS = 128

Resource = Callable[[FastAPI], AbstractAsyncContextManager[None]]
"""Opens one thing the app needs, puts it on `app.state`, and closes it at the end."""


IGNORABLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
"""Default_Ignorable_Code_Point in Unicode 17.0's DerivedCoreProperties.txt: shown as nothing at all."""

BLANK = "\u2800\ufffc\U00013441\U00013442\U00016fe4\U0001d159"
"""Shown as an empty place: blanks of Braille and hieroglyphs, a filler, a note without a head, no object."""


def _legible(name: str) -> str:
    """Return the name in NFKC, each run of spaces as one, as a browser shows it.

    Raises ValueError where a character cannot be seen, or none can be read.
    """
    for character in name:
        if any(map(_hidden, unicodedata.normalize("NFKC", character))):
            raise ValueError(f"the character U+{ord(character):04X} is not allowed")
    composed = re.sub(" +", " ", unicodedata.normalize("NFKC", name))
    if composed != composed.strip():
        raise ValueError("white space at its ends is not allowed")
    if not any(unicodedata.category(character)[0] in "LN" for character in composed):
        raise ValueError("at least one letter or digit is needed")
    if len(composed) > MAXIMUM_USERNAME_CHARACTERS:
        most = MAXIMUM_USERNAME_CHARACTERS
        raise ValueError(f"it has {len(composed)} characters in NFKC, and may have {most}")
    return composed


def _hidden(character: str) -> bool:
    category = unicodedata.category(character)
    other = category[0] == "C" or (category[0] == "Z" and character != " ")
    return other or character in BLANK or IGNORABLE.match(character) is not None


Username = Annotated[
    str,
    Field(
        min_length=1,
        max_length=MAXIMUM_USERNAME_CHARACTERS,
        examples=["ada"],
        json_schema_extra={"format": "username"},
    ),
    AfterValidator(_legible),
]
"""A name in NFKC, of which nothing is hidden: no two differ by that alone.

Letters of two alphabets that look alike make two names still.
"""
