"""POST /file/resize: how long a picture may take. Here, the decoder stands still until a test lets it go."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from typing import NoReturn

import pytest

from functions.resize import service
from infra.gateway.asgi import load_app
from shared.concurrency import BoundedThreads
from shared.errors import SourceUnreadable
from shared.on_startup.pictures import picture_seconds
from shared.on_startup.threads import threads
from tests.integration.problems import assert_problem
from tests.integration.uploads import Resizer

PATIENCE_SECONDS = 10
"""Only a test that fails waits so long."""


class StandingDecoder:
    """Takes until it is let go, and then finds that the picture is broken."""

    def __init__(self) -> None:
        self.begun = threading.Semaphore(0)
        self.released = threading.Event()

    def __call__(self, *_: object) -> NoReturn:
        self.begun.release()
        assert self.released.wait(PATIENCE_SECONDS)
        raise SourceUnreadable("It is broken.")

    async def until_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.acquire, True, PATIENCE_SECONDS)


@pytest.fixture
def decoder(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandingDecoder]:
    """One thread, one place before it, and next to no time."""
    decoder, one_thread = StandingDecoder(), BoundedThreads[object](threads=1, queue=1)
    overrides = load_app("resize").dependency_overrides
    monkeypatch.setitem(overrides, threads, lambda: one_thread)
    monkeypatch.setitem(overrides, picture_seconds, lambda: 0.05)
    monkeypatch.setattr(service, "resize", decoder)
    yield decoder
    decoder.released.set()
    one_thread.close()


@pytest.mark.usefixtures("decoder")
async def test_picture_that_takes_too_long_is_told_so(resizer: Resizer, photograph: bytes) -> None:
    answer = await resizer.post("width=100", photograph)
    problem = assert_problem(answer, 503, "too_slow")
    assert problem["limit"] == 1
    assert "retry-after" not in answer.headers


async def test_one_that_waited_in_vain_is_told_when_to_try_again(
    resizer: Resizer, photograph: bytes, decoder: StandingDecoder
) -> None:
    first = asyncio.create_task(resizer.post("width=100", photograph))
    await decoder.until_begun()
    answer = await resizer.post("width=100", photograph)
    assert_problem(answer, 503, "too_slow")
    assert int(answer.headers["retry-after"]) >= 1
    await first


async def test_thread_is_not_free_before_it_is(
    resizer: Resizer, photograph: bytes, decoder: StandingDecoder
) -> None:
    assert_problem(await resizer.post("width=100", photograph), 503, "too_slow")
    waiting = asyncio.create_task(resizer.post("width=100", photograph))
    assert_problem(await waiting, 503, "too_slow")
    decoder.released.set()
    assert decoder.begun.acquire(timeout=PATIENCE_SECONDS)
    assert not decoder.begun.acquire(blocking=False), "the second was begun"
