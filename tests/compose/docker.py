"""The docker command, as a user gives it."""

from __future__ import annotations

import os
import subprocess


def docker(*arguments: str, **environment: str) -> str:
    """Return what it prints. Raises CalledProcessError, with its words, when it fails."""
    ran = subprocess.run(
        ["docker", *arguments], env=os.environ | environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"docker {' '.join(arguments)}:\n{ran.stdout}{ran.stderr}"
    return ran.stdout
