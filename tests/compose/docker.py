"""The docker command, as a user gives it."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO


def docker(*arguments: str, words: str = "", **environment: str) -> str:
    """Return what it prints, given words to read. Raises AssertionError, with its own, when it fails."""
    ran = subprocess.run(
        ["docker", *arguments],
        env=os.environ | environment,
        input=words,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"docker {' '.join(arguments)}:\n{ran.stdout}{ran.stderr}"
    return ran.stdout


@contextmanager
def starts_of(container: str) -> Iterator[IO[str]]:
    """Give a line for each time that the container starts from now on."""
    told = ["--since", str(time.time()), "--filter", f"container={container}", "--filter", "event=start"]
    with subprocess.Popen(["docker", "events", *told], stdout=subprocess.PIPE, text=True) as events:
        assert events.stdout is not None
        try:
            yield events.stdout
        finally:
            events.terminate()
