"""The arrows between packages, and what a function loads."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from importlinter.cli import lint_imports

FUNCTIONS = sorted(path.parent.name for path in Path("functions").glob("*/handler.py"))
LOCKED = re.compile(r"^(\S+==\S+) ", re.MULTILINE)

FOREIGN = {
    "resize": {"sqlalchemy", "asyncpg", "argon2", "boto3", "botocore", "aiokafka", "httpx", "yaml"},
    "login": {"PIL", "cykooz_resizer", "numpy", "boto3", "botocore", "aiokafka", "httpx", "yaml"},
    "janitor": {"PIL", "numpy", "argon2", "jose", "boto3", "botocore", "aiokafka", "httpx", "yaml"},
}


def test_arrows_run_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    # It would disable every logger that there is, for all tests after this one.
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)
    assert lint_imports(no_cache=True) == 0


@pytest.mark.parametrize("function", FOREIGN)
def test_function_loads_only_what_it_uses(function: str) -> None:
    program = f"import functions.{function}.handler, sys; print(*{{m.split('.')[0] for m in sys.modules}})"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = set(ran.stdout.split())
    assert "fastapi" in loaded
    assert loaded & FOREIGN[function] == set()


def locked(file: str) -> set[str]:
    return set(LOCKED.findall(Path(file).read_text()))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_locks_a_subset_of_what_the_project_locks(function: str) -> None:
    own = locked(f"functions/{function}/requirements.txt")
    assert any(line.startswith("fastapi==") for line in own)
    assert own <= locked("requirements.txt")


def test_every_lock_carries_hashes() -> None:
    for file in ("requirements.txt", *(f"functions/{name}/requirements.txt" for name in FUNCTIONS)):
        text = Path(file).read_text()
        packages = [part for part in re.split(r"\n(?=\S)", text) if not part.startswith("#")]
        assert packages
        assert all("==" in package and "--hash=sha256:" in package for package in packages)


def test_every_dependency_is_in_the_lock() -> None:
    groups = tomllib.loads(Path("pyproject.toml").read_text())["dependency-groups"]
    named = [each for group in groups.values() for each in group if isinstance(each, str)]
    names = {re.split(r"[\[<>=]", each)[0] for each in named}
    assert names <= {line.split("==")[0].split("[")[0] for line in locked("requirements.txt")}
    assert set(FUNCTIONS) <= groups.keys()
