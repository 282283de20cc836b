from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.images.formats import OutputFormat


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a request for a job says, but for its picture."""

    params: list[dict[str, Any]]
    """Of each output."""
    accepted: list[OutputFormat] | None
    """What `auto` may be, the best first."""
    idempotency_key: str | None
    traceparent: str | None
