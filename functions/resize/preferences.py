"""The Prefer header (RFC 7240): what the caller would like, and may be denied without a word."""

from __future__ import annotations

import re
from collections.abc import Iterable

RESPOND_ASYNC = "respond-async"
PREFERENCE_APPLIED = {"Preference-Applied": RESPOND_ASYNC}

_PREFERENCE = re.compile(r'((?:[^,"]|"(?:[^"\\]|\\.)*")+)')
"""Up to a comma that stands in no quotes."""


def prefers_async(headers: Iterable[str]) -> bool:
    """Return whether any of the headers of this name has `respond-async`, which takes no value."""
    preferences = (each for header in headers for each in _PREFERENCE.findall(header))
    return any(each.partition(";")[0].strip().lower() == RESPOND_ASYNC for each in preferences)
