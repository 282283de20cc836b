"""What a function locks is all that it needs: installed alone, its handler can be imported."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

UV = str(Path(".local/tools/bin/uv").absolute())
FUNCTIONS = sorted(path.parent.name for path in Path("functions").glob("*/handler.py"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_handler_is_imported_with_the_functions_own_packages_alone(function: str, tmp_path: Path) -> None:
    environment = tmp_path / "venv"
    python = environment / "bin" / "python"
    subprocess.run([UV, "--quiet", "venv", "--python", sys.executable, environment], check=True)
    lock = f"functions/{function}/requirements.txt"
    subprocess.run([UV, "--quiet", "pip", "sync", "--require-hashes", "--python", python, lock], check=True)
    program = f"from functions.{function}.handler import handler; print(type(handler).__module__)"
    bare = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    ran = subprocess.run([python, "-c", program], env=bare, capture_output=True, text=True)
    assert (ran.stdout.strip(), ran.stderr) == ("shared.runtime", "")
