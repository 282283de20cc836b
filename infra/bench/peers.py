"""Engines of others, each at the version named here, in environments of their own under `.local/bench`."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

from infra.bench.inputs import FOLDER
from infra.local.bootstrap import find_uv

PACKAGES = (
    "thumbor==7.8.0",
    "pyvips[binary]==3.2.0",
    "scikit-image==0.26.0",
    "matplotlib==3.11.2",
)
SHARP = "sharp@0.35.5"


class Missing(Exception):
    """Raised with the reason why a peer cannot be measured here."""


@cache
def python() -> Path:
    """Return the interpreter of the environment with PACKAGES."""
    python = FOLDER.absolute() / "python" / "bin" / "python"
    installed = python.parent / "installed"
    wanted = "\n".join(PACKAGES)
    if not installed.exists() or installed.read_text() != wanted:
        uv = find_uv()
        _run([uv, "venv", "--quiet", "--clear", "--python", sys.executable, python.parents[1]])
        # Our own configuration leaves numpy out.
        _run([uv, "pip", "install", "--no-config", "--quiet", "--python", python, *PACKAGES])
        installed.write_text(wanted)
    return python


@cache
def sharp() -> Path:
    """Return the folder that node finds sharp from."""
    folder = FOLDER.absolute() / "node"
    if not shutil.which("node") or not shutil.which("npm"):
        raise Missing("sharp: node and npm are not installed")
    if not (folder / "node_modules" / "sharp").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _run(["npm", "install", "--silent", "--no-save", "--prefix", folder, SHARP])
    return folder


def _run(command: list[str | Path]) -> None:
    ran = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"UV_PYTHON_DOWNLOADS": "never"}
    )
    if ran.returncode:
        raise Missing(f"{' '.join(map(str, command[:3]))}: {ran.stderr.strip()[-200:]}")
