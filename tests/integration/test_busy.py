"""Work bound to the processor runs on threads of its own; when too much of it waits, the caller is told."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from infra.gateway.asgi import load_app
from shared.concurrency import BoundedThreads
from shared.on_startup.threads import open_threads, threads
from tests.accounts import PASSWORD
from tests.integration.problems import assert_problem
from tests.integration.uploads import Resizer

PATIENCE_SECONDS = 20


@pytest.fixture
async def full() -> AsyncIterator[BoundedThreads[Any]]:
    """Threads with no place for another call."""
    pool: BoundedThreads[Any] = BoundedThreads(threads=1, queue=0)
    begun, released = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        assert released.wait(PATIENCE_SECONDS)

    working = asyncio.create_task(pool.run(work))
    assert await asyncio.to_thread(begun.wait, PATIENCE_SECONDS)
    yield pool
    released.set()
    await working
    pool.close()


def assert_busy(answer: httpx.Response) -> None:
    assert_problem(answer, 429, "too_busy")
    assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("function", ["register", "login"])
async def test_password_is_hashed_when_there_is_a_place(
    client: httpx.AsyncClient, full: BoundedThreads[Any], monkeypatch: pytest.MonkeyPatch, function: str
) -> None:
    monkeypatch.setitem(load_app(function).dependency_overrides, threads, lambda: full)
    body = {"username": "nobody-at-all", "password": PASSWORD}
    assert_busy(await client.post(f"/auth/{function}", json=body))


async def test_picture_is_resized_when_there_is_a_place(
    resizer: Resizer, photograph: bytes, full: BoundedThreads[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(load_app("resize").dependency_overrides, threads, lambda: full)
    assert_busy(await resizer.post("width=20", photograph))


async def test_app_has_the_usual_threads_until_its_end() -> None:
    app, usual = FastAPI(), BoundedThreads[int]()
    async with open_threads(app):
        opened: BoundedThreads[int] = app.state.threads
        assert (opened.threads, opened.capacity) == (usual.threads, usual.capacity)
        assert await opened.run(lambda: 1) == 1
    usual.close()
    with pytest.raises(RuntimeError, match="shutdown"):
        await opened.run(lambda: 1)
