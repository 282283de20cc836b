"""A record as Kafka hands it over, and its headers."""

from __future__ import annotations

from dataclasses import dataclass

Headers = tuple[tuple[str, bytes], ...]

VERSION_HEADER, ATTEMPT_HEADER = "version", "attempt"
NOT_BEFORE_HEADER = "not-before"
"""Unix milliseconds; of a record of the retry topic."""
TRACEPARENT_HEADER = "traceparent"
"""W3C Trace Context, 3.2."""
MAXIMUM_DIGITS = 18


@dataclass(frozen=True, slots=True)
class Record:
    topic: str
    partition: int
    offset: int
    key: bytes | None = None
    value: bytes | None = None
    headers: Headers = ()

    def header(self, name: str) -> bytes | None:
        """Return the last header of that name, or None."""
        return dict(self.headers).get(name)

    @property
    def not_before(self) -> int:
        """Unix milliseconds; 0 where the header is missing, or no number."""
        value = (self.header(NOT_BEFORE_HEADER) or b"")[:MAXIMUM_DIGITS]
        return int(value) if value.isdigit() else 0

    def __str__(self) -> str:
        return f"{self.topic}-{self.partition}@{self.offset}"
