"""The docker command, as a user gives it."""

from __future__ import annotations

import os
import subprocess


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
