"""Each function's image: under AWS's emulator as on Lambda, as a web server, and what it carries."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from infra.gateway.functions import read_functions
from infra.local.ports import free_port
from tests.compose.docker import docker
from tests.events.api_gateway_v2 import http_event
from tests.events.scheduled import scheduler_event
from tests.functions.rie import INVOKE, emulator

FUNCTIONS = [function.name for function in read_functions()]
SECRET = re.compile(r"BEGIN [A-Z ]*PRIVATE KEY|(PASSWORD|SECRET|TOKEN|_KEY)[A-Z_]*=\S")


@pytest.fixture(scope="module", params=FUNCTIONS)
def image(request: pytest.FixtureRequest) -> str:
    name = f"passepartout-{request.param}"
    docker(
        "build",
        "--file",
        "infra/docker/Dockerfile",
        "--build-arg",
        f"FUNCTION={request.param}",
        "--tag",
        name,
        ".",
    )
    return name


@contextmanager
def running(
    image: str, keys: dict[str, str], options: list[str], command: list[str], port: int
) -> Iterator[str]:
    """Run a container as it should be run anywhere: with no right to write; give its address."""
    address = free_port(0)
    settings = {**keys, "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}
    variables = [word for name, value in settings.items() for word in ("--env", f"{name}={value}")]
    container = docker(
        *("run", "--detach", "--read-only", "--cap-drop=ALL", f"--publish=127.0.0.1:{address}:{port}"),
        *(*variables, *options, image, *command),
    ).strip()
    url = f"http://127.0.0.1:{address}"
    try:
        _wait_until_up(url)
        yield url
    finally:
        docker("rm", "--force", container)


def _wait_until_up(url: str) -> None:
    """Docker's proxy takes connections before the server does, and then resets them."""
    until = time.monotonic() + 60
    while True:
        try:
            httpx.get(url)
            return
        except httpx.TransportError:
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


@pytest.fixture(scope="module")
def settings(keys: dict[str, str]) -> dict[str, str]:
    return {name: keys[name] for name in ("JWT_PRIVATE_KEY", "REFRESH_TOKEN_KEY")}


def test_answers_events_under_the_emulator(image: str, settings: dict[str, str]) -> None:
    rie = [f"--volume={emulator()}:/rie:ro", "--entrypoint=/rie"]
    command = ["--runtime-interface-emulator-address", "0.0.0.0:8080", "sh", "/entrypoint.sh", "lambda"]
    with running(image, settings, rie, command, 8080) as url, httpx.Client(timeout=60) as caller:
        for _ in range(3):
            if image == "passepartout-janitor":
                # It has done what it could, and there is no database here.
                assert caller.post(url + INVOKE, json=scheduler_event()).json()["errorType"] == "ChoresFailed"
            else:
                answer = caller.post(url + INVOKE, json=http_event("GET", "/health")).json()
                assert (answer["statusCode"], answer["body"]) == (200, '{"status":"ok"}')


def test_answers_http(image: str, settings: dict[str, str]) -> None:
    with running(image, settings, [], ["http"], 8080) as url, httpx.Client(timeout=60) as caller:
        answer = caller.get(f"{url}/health")
        assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_run_by_hand_it_says_how(image: str) -> None:
    with pytest.raises(AssertionError, match="docker run ... http"):
        docker("run", "--rm", image)


def test_carries_no_secret(image: str) -> None:
    assert not SECRET.search(docker("history", "--no-trunc", image))
    assert not SECRET.search(docker("inspect", image))
