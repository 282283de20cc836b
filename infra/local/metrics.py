"""A Pushgateway for this machine: Debian's where it is installed, else the small one of our own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import httpx

from infra.local.errors import LocalError
from infra.local.ports import HOST, free_port, listen
from infra.local.pushgateway import create_pushgateway
from infra.local.server import served_in_thread

PREFERRED_PORT = 9091
BINARY = "prometheus-pushgateway"
STOP_SECONDS = 5
START_SECONDS = 10


@contextmanager
def pushgateway() -> Iterator[tuple[str, str]]:
    """Serve a Pushgateway; give its URL, and whose program it is."""
    port = free_port(PREFERRED_PORT)
    url = f"http://{HOST}:{port}"
    binary = shutil.which(BINARY)
    if binary is None:
        with served_in_thread(create_pushgateway(), listen(port)):
            yield url, "our own"
    else:
        with _program([binary, f"--web.listen-address={HOST}:{port}"]):
            _wait_until_ready(url)
            yield url, "Prometheus's"


@contextmanager
def _program(command: list[str]) -> Iterator[None]:
    # In a session of its own: Ctrl-C is for us, who stop it after its last push has come.
    program = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        program.terminate()
        try:
            program.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()


def _wait_until_ready(url: str) -> None:
    transport = httpx.HTTPTransport(retries=START_SECONDS)
    with httpx.Client(transport=transport) as client:
        try:
            client.get(f"{url}/-/ready").raise_for_status()
        except httpx.HTTPError as error:
            raise LocalError(f"{BINARY} does not answer at {url}: {error}") from error
