"""What was done to a picture, and how long each stage took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass(slots=True)
class Stages:
    """Seconds by stage, in the order of the work."""

    seconds: dict[str, float] = field(default_factory=dict)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = time.perf_counter() - started


def server_timing(seconds: dict[str, float]) -> str:
    """Return the stages as a Server-Timing header, in milliseconds (W3C Server Timing)."""
    return ", ".join(f"{stage};dur={value * 1000:.1f}" for stage, value in seconds.items())
