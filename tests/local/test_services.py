"""What `make run` starts beside the functions, and how it finds them: without PostgreSQL and S3."""

from __future__ import annotations

import os
import signal
import stat
import sys
from collections.abc import Iterator
from contextlib import ExitStack, nullcontext
from pathlib import Path
from unittest.mock import AsyncMock

import httpx
import pytest
from starlette.responses import PlainTextResponse

import infra.migrations
from infra.local import lost_jobs, metrics, object_storage
from infra.local import postgres as postgres_module
from infra.local.errors import LocalError
from infra.local.keys import local_keys
from infra.local.main_job import main_job
from infra.local.metrics import pushgateway
from infra.local.ports import HOST, free_port, listen
from infra.local.programs import kept_running
from infra.local.server import served_in_thread
from infra.local.services import start_services
from shared.config import MetricsSettings, RegistrationSettings, SigningSettings
from shared.security.keys import signing_key

DATABASE_URL = "postgresql://somewhere/else"
FAKE_PUSHGATEWAY = """\
#!{python}
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer

class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(f"{{self.path}} of the installed one".encode())

[option] = sys.argv[1:]
host, port = option.removeprefix("--web.listen-address=").split(":")
HTTPServer((host, int(port)), Handler).serve_forever()
"""


@pytest.fixture
def _proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """One for everything, where nobody listens."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://{HOST}:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def refusing() -> Iterator[str]:
    """The URL of a front door that refuses everything."""
    listener = listen(0)
    with served_in_thread(PlainTextResponse("no", 418), listener):
        yield f"http://{HOST}:{listener.getsockname()[1]}"


async def fault_of_the_main_job(base_url: str, folder: Path) -> str:
    with pytest.raises(LocalError) as fault:
        async for _ in main_job(base_url, "password", folder / "temp.png"):
            raise AssertionError("a step was done")
    return str(fault.value)


@pytest.mark.usefixtures("_proxy")
async def test_main_job_goes_past_the_callers_proxy(refusing: str, tmp_path: Path) -> None:
    assert await fault_of_the_main_job(refusing, tmp_path) == "register answered 418: no"


async def test_main_job_without_an_answer_is_one_line(tmp_path: Path) -> None:
    fault = await fault_of_the_main_job(f"http://{HOST}:1", tmp_path)
    assert fault.startswith("register was not answered: ConnectError(") and "\n" not in fault


def test_secrets_are_kept_where_only_their_owner_can_read_them(tmp_path: Path) -> None:
    made = local_keys(tmp_path / "keys.json")
    assert stat.S_IMODE((tmp_path / "keys.json").stat().st_mode) == 0o600
    assert local_keys(tmp_path / "keys.json") == made


@pytest.mark.usefixtures("_proxy")
def test_pushgateway_that_is_installed_is_preferred(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / metrics.BINARY
    program.write_text(FAKE_PUSHGATEWAY.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setattr(metrics, "PREFERRED_PORT", free_port(0))
    with pushgateway() as (url, whose):
        assert whose == "Prometheus's"
        assert httpx.get(f"{url}/metrics", trust_env=False).text == "/metrics of the installed one"
    with pytest.raises(httpx.ConnectError):
        httpx.get(url, trust_env=False)


@pytest.mark.usefixtures("_proxy")
def test_pushgateway_is_our_own_where_none_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pushgateway() as (url, whose):
        assert whose == "our own"
        assert httpx.get(f"{url}/-/ready", trust_env=False).status_code == 200


def test_functions_are_set_up_for_the_main_job_whatever_the_caller_has_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The programs are left out: what the functions are told of them is looked at."""
    monkeypatch.setattr(postgres_module, "postgres", lambda data: nullcontext(DATABASE_URL))
    monkeypatch.setattr(infra.migrations, "upgrade", lambda url: None)
    monkeypatch.setattr(lost_jobs, "fail_lost_jobs", AsyncMock(return_value=2))
    monkeypatch.setattr(object_storage, "object_storage", lambda: nullcontext("http://s3"))
    monkeypatch.setattr(object_storage, "make_bucket", lambda *args: None)
    monkeypatch.setattr(metrics, "pushgateway", lambda: nullcontext(("http://gateway", "nobody's")))
    callers = {
        "REGISTRATION": "closed",
        "JWT_ALGORITHM": "HS256",
        "JWT_PUBLIC_KEYS": "no key",
        "METRICS_PORT": "9100",
        "DATABASE_URL": "postgresql://the/callers",
        "PUSHGATEWAY_URL": "http://the.callers",
    }
    monkeypatch.setattr(os, "environ", callers)
    with ExitStack() as services:
        assert start_services(services, tmp_path) == local_keys(tmp_path / "keys.json")["DEMO_PASSWORD"]
    environment = dict(os.environ)
    assert RegistrationSettings.from_environment(environment).registration == "open"
    tokens = SigningSettings.from_environment(environment)
    assert (signing_key(tokens).algorithm, tokens.jwt_public_keys) == ("ES256", None)
    pushed = MetricsSettings.from_environment(environment)
    assert (pushed.pushgateway_url, pushed.metrics_port) == ("http://gateway", None)
    assert (environment["DATABASE_URL"], "DEMO_PASSWORD" in environment) == (DATABASE_URL, False)


def test_program_that_ends_is_started_again_until_it_is_not_wanted_any_more(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    told = f"import os, signal; print(os.getpid(), file=open({str(pipe)!r}, 'w')); signal.pause()"
    with kept_running([sys.executable, "-c", told]):
        first = int(pipe.read_text())
        os.kill(first, signal.SIGKILL)
        again = int(pipe.read_text())
        assert again != first
    with pytest.raises(ProcessLookupError):
        os.kill(again, 0)
