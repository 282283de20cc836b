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

DATABASE = {"sqlalchemy", "asyncpg"}
TOKENS = {"jose", "cryptography"}
PICTURES = {"PIL", "cykooz_resizer", "isal", "zlib_ng"}
ELSEWHERE = {
    *(
        "aiokafka",
        "alembic",
        "awslambdaric",
        "boto3",
        "botocore",
        "httpx",
        "numpy",
        "rich",
        "typer",
        "uvicorn",
        "yaml",
        "zxcvbn",
    )
}
WEIGHED = DATABASE | TOKENS | PICTURES | ELSEWHERE | {"argon2"}
"""Packages whose import takes time that a cold start pays for."""
BUDGET = {
    "register": DATABASE | {"argon2"},
    "login": DATABASE | TOKENS | {"argon2"},
    "refresh": DATABASE | TOKENS,
    "logout": DATABASE,
    "resize": TOKENS | PICTURES,
    "upload": TOKENS,
    "jobs": DATABASE | TOKENS,
    "worker": DATABASE | PICTURES,
    "janitor": DATABASE,
}
LOADED = """
import os, sys
import fastapi, mangum, orjson, prometheus_client
for function in sys.argv[1:]:
    # What all of them load is loaded once: each goes on from here in a process of its own.
    if not os.fork():
        __import__(f"functions.{function}.handler")
        print(function, *{name.partition(".")[0] for name in sys.modules}, *sys.modules, flush=True)
        os._exit(0)
    os.wait()
"""


def test_arrows_run_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    # It would disable every logger that there is, for all tests after this one.
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)
    assert lint_imports(no_cache=True) == 0


@pytest.fixture(scope="module")
def loaded() -> dict[str, set[str]]:
    """The packages that the import of each function's handler loads."""
    ran = subprocess.run(
        [sys.executable, "-c", LOADED, *FUNCTIONS], capture_output=True, text=True, check=True
    )
    lines = (line.split() for line in ran.stdout.splitlines())
    return {function: set(packages) for function, *packages in lines}


def test_every_function_has_a_budget() -> None:
    assert sorted(BUDGET) == FUNCTIONS


@pytest.mark.parametrize("function", BUDGET)
def test_function_loads_no_more_than_its_budget(function: str, loaded: dict[str, set[str]]) -> None:
    assert "shared" in loaded[function]
    assert loaded[function] & WEIGHED <= BUDGET[function]


@pytest.mark.parametrize("function", ["register", "login", "refresh", "logout"])
def test_sign_in_loads_nothing_of_pictures_and_jobs(function: str, loaded: dict[str, set[str]]) -> None:
    assert "shared.repositories.users" in loaded[function]
    theirs = ("shared.images", "shared.messages", "shared.models.media", "shared.repositories.jobs")
    assert not [name for name in loaded[function] if name.startswith(theirs)]


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
