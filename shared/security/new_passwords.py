"""Which passwords may be chosen."""

from __future__ import annotations

import unicodedata
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, Field

from shared.security.passwords import MAXIMUM_CHARACTERS, MINIMUM_CHARACTERS


def _uncommon(password: str) -> str:
    """Raise ValueError for one that a guesser tries first (NIST SP 800-63B, 3.1.1.2)."""
    if unicodedata.normalize("NFKC", password).casefold() in _common_passwords():
        raise ValueError("it is one of the most common passwords, which are the first to be guessed")
    return password


@cache
def _common_passwords() -> frozenset[str]:
    # Loaded when the first password is chosen: 45 ms, which no sign-in has to wait for.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(each for each in FREQUENCY_LISTS["passwords"] if len(each) >= MINIMUM_CHARACTERS)


NewPassword = Annotated[
    str,
    Field(
        min_length=MINIMUM_CHARACTERS,
        max_length=MAXIMUM_CHARACTERS,
        examples=["correct horse battery staple"],
        json_schema_extra={"format": "password"},
    ),
    AfterValidator(_uncommon),
]
"""8 to 256 characters of any kind; none of the 11,611 of that length in zxcvbn's list of the most common."""
