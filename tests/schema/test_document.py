"""The whole bundle against the requests that schemathesis makes of its OpenAPI document."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
import pytest

from tests.local.bundle import CLEANLY, READY, ROOT, Bundle, free_port, started
from tests.schema.hooks import PRESETS

LEAST_CASES = 5000
EXAMPLES = 800
"""Of an operation; many have fewer that differ."""
SCHEMATHESIS = str(Path(sys.executable).with_name("schemathesis"))
CONFIGURATION = str(ROOT / "tests" / "schema" / "schemathesis.toml")
USERS = ("the-owner", "a-stranger")
"""None of the names in the document: wrong passwords would lock them out."""


@pytest.fixture
def bundle(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bundle]:
    monkeypatch.setenv("GATEWAY", "asgi")
    monkeypatch.setenv("PRESETS", json.dumps(PRESETS))
    # Nobody reads a line for each request; what is logged besides is a failure.
    monkeypatch.setenv("LOG_LEVEL", "ERROR")
    # Not one of pytest's: of those of root, PostgreSQL's own user cannot enter one.
    with TemporaryDirectory() as folder, started(Path(folder), free_port()) as bundle:
        bundle.wait_for(READY)
        yield bundle


def credentials(user: str) -> dict[str, str]:
    return {"username": user, "password": f"the password of {user}"}


def how_to_sign_in(user: str) -> dict[str, Any]:
    """Return it as Web Fuzzing Commons has it."""
    return {
        "name": user,
        "loginEndpointAuth": {
            "endpoint": "/auth/login",
            "verb": "POST",
            "contentType": "application/json",
            "payloadUserPwd": {
                **credentials(user),
                "usernameField": "username",
                "passwordField": "password",
            },
            "token": {
                "extractFrom": "body",
                "extractSelector": "/access_token",
                "sendIn": "header",
                "sendName": "Authorization",
                "sendTemplate": "Bearer {token}",
            },
        },
    }


def test_no_request_made_of_the_document_finds_a_fault(bundle: Bundle, tmp_path: Path) -> None:
    base_url = f"http://127.0.0.1:{bundle.port}"
    for user in USERS:
        registered = httpx.post(f"{base_url}/auth/register", json=credentials(user), timeout=30)
        assert registered.status_code == 201, registered.text
    users = tmp_path / "users.json"
    users.write_text(json.dumps({"auth": [how_to_sign_in(user) for user in USERS]}))
    ran = subprocess.run(
        [SCHEMATHESIS, "--config-file", CONFIGURATION, "run", f"{base_url}/openapi.json"]
        + ["--checks", "all", "--max-examples", str(EXAMPLES)],
        cwd=ROOT,
        env={**os.environ, "SCHEMA_USERS": str(users)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    print(ran.stdout)
    assert ran.returncode == 0
    [cases] = re.findall(r"^ +(\d+) generated", ran.stdout, re.MULTILINE)
    assert int(cases) >= LEAST_CASES
    started_with = len(bundle.printed)
    assert bundle.stop(signal.SIGINT) == CLEANLY
    assert "Traceback" not in "\n".join(bundle.printed[started_with:])
