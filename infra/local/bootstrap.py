"""Make `.venv` with the locked dependencies: `python3 infra/local/bootstrap.py`.

Runs before anything is installed, so it needs only the standard library, and works where Debian has
split `ensurepip` out of Python.
"""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
TOOLS = ROOT / ".local" / "tools"
OLDEST_PYTHON = (3, 11)

UV_VERSION = "0.13.9"


def main() -> int:
    if sys.version_info < OLDEST_PYTHON:
        found = platform.python_version()
        print(f"Python 3.11 or newer is needed; this is {found}. Try: make PYTHON=python3.13")
        return 1
    try:
        uv = find_uv()
        make_venv(uv)
    except (OSError, subprocess.CalledProcessError, SetupError) as error:
        print(f"setup failed: {error}")
        return 1
    except KeyboardInterrupt:
        print("setup interrupted: the next `make` goes on from here")
        return 130
    return 0


class SetupError(Exception):
    """Raised when this Python has no way to install uv."""


def find_uv() -> Path:
    """Return the pinned uv, installed first where it is missing."""
    uv = TOOLS / "bin" / "uv"
    if not is_pinned(uv):
        with step(f"uv {UV_VERSION}"):
            shutil.rmtree(TOOLS, ignore_errors=True)
            install_uv()
    return uv


def is_pinned(uv: Path) -> bool:
    if not uv.exists():
        return False
    version = subprocess.run([uv, "--version"], capture_output=True, text=True, check=False).stdout
    return version.split()[1:2] == [UV_VERSION]


def install_uv() -> None:
    options = [
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--root-user-action=ignore",
        f"uv=={UV_VERSION}",
    ]
    if find_spec("pip"):
        # --target needs no right to write to the system's Python, nor is it refused by PEP 668.
        pip = [sys.executable, "-m", "pip"]
        run([*pip, *options, "--target", str(TOOLS)])
    elif find_spec("ensurepip"):
        run([sys.executable, "-m", "venv", str(TOOLS)])
        run([str(TOOLS / "bin" / "python"), "-m", "pip", *options])
    else:
        raise SetupError(
            f"{sys.executable} has neither pip nor venv; on Debian: apt-get install python3-venv"
        )


def make_venv(uv: Path) -> None:
    environment = os.environ | {"UV_PYTHON_DOWNLOADS": "never", "VIRTUAL_ENV": str(VENV)}
    python = VENV / "bin" / "python"
    if not python.exists():
        with step(f".venv with Python {platform.python_version()}"):
            command = [str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(VENV)]
            run(command, environment)
    lock = ROOT / "requirements.txt"
    count = sum("==" in line for line in lock.read_text().splitlines())
    with step(f"{count} locked packages, hashes checked"):
        command = [str(uv), "pip", "sync", "--quiet", "--require-hashes", str(lock)]
        run(command, environment)


def run(command: list[str], environment: dict[str, str] | None = None) -> None:
    """Run a program. In a session of its own: Ctrl-C is for us, who end it without a traceback of its."""
    subprocess.run(command, check=True, env=environment, start_new_session=True)


class step:
    """Prints what is being done while it is being done, then how long it took."""

    def __init__(self, what: str) -> None:
        self.what = what

    def __enter__(self) -> None:
        self.started = time.monotonic()
        print(f"setup: {self.what} ... ", end="", flush=True)

    def __exit__(self, failure: type[BaseException] | None, *_: object) -> None:
        print("failed" if failure else f"{time.monotonic() - self.started:.1f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())
