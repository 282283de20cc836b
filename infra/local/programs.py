"""Programs that run beside ours until we stop them."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

import httpx

from infra.local.errors import LocalError
from infra.local.orphans import ending_with_us

STOP_SECONDS = 5
LOOK_SECONDS = 0.2
PAUSE_SECONDS = 1
"""Before a program that has ended is started again: it may end again."""
CONNECT_RETRIES = 7
"""With the growing pauses that httpx makes between them, some 30 s."""


@contextmanager
def running(
    command: Sequence[str],
    *,
    output: int | None = subprocess.DEVNULL,
    stop_seconds: float = STOP_SECONDS,
    **options: Any,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program until the end of the block; what it prints is thrown away, unless `output` is None."""
    # In a session of its own: Ctrl-C is for us, who stop it when nothing needs it any more.
    program = subprocess.Popen(
        ending_with_us(command),
        stdout=output,
        stderr=output,
        start_new_session=True,
        **options,
    )
    try:
        yield program
    finally:
        program.terminate()
        try:
            program.wait(stop_seconds)
        except subprocess.TimeoutExpired:
            program.kill()
            program.wait()


@contextmanager
def kept_running(command: Sequence[str], **options: Any) -> Iterator[None]:
    """As `running`, of a program that is started again whenever it ends before the end of the block."""
    is_over = Event()

    def keep() -> None:
        while not is_over.is_set():
            with running(command, **options) as program:
                while program.poll() is None and not is_over.wait(LOOK_SECONDS):
                    pass
                if program.returncode is not None and not is_over.wait(PAUSE_SECONDS):
                    print(
                        f"{' '.join(command[1:])} ended with {program.returncode}; it is started again",
                        flush=True,
                    )

    keeper = Thread(target=keep, name="keeper")
    keeper.start()
    try:
        yield
    finally:
        is_over.set()
        keeper.join()


def request_when_ready(method: str, url: str) -> None:
    """Send a request as soon as its server listens. Raises LocalError when it never does, or refuses."""
    with httpx.Client(transport=httpx.HTTPTransport(retries=CONNECT_RETRIES), timeout=30) as client:
        try:
            client.request(method, url).raise_for_status()
        except httpx.HTTPError as error:
            raise LocalError(f"{method} {url}: {error}") from error
