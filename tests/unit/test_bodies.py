"""What is held of bodies at once, of callers that send without end or wait for their answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import APIRouter, Request

from shared import bodies
from shared.app import create_app
from shared.requests import read_body
from tests.integration.problems import assert_problem

HELD, SMALL = 1000, 10


class Server:
    """Reads bodies, and answers when it is told to."""

    def __init__(self) -> None:
        router = APIRouter()
        router.post("/")(self._post)
        transport = httpx.ASGITransport(create_app("any", router))
        self.client = httpx.AsyncClient(transport=transport, base_url="http://test")
        self.answering = asyncio.Event()
        self._read = asyncio.Semaphore(0)

    async def holding(self, length: int) -> asyncio.Task[httpx.Response]:
        """Send so much, and return when it is held."""
        sent = asyncio.create_task(self.client.post("/", content=b"x" * length))
        await self._read.acquire()
        return sent

    async def _post(self, request: Request) -> int:
        body = await read_body(request)
        self._read.release()
        await self.answering.wait()
        return len(body)


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setattr(bodies, "HELD_BYTES", HELD)
    monkeypatch.setattr(bodies, "SMALL_BYTES", SMALL)
    server = Server()
    async with server.client:
        yield server


async def test_what_there_is_no_room_for_is_refused_and_fits_when_an_answer_is_out(server: Server) -> None:
    held = await server.holding(HELD - 100)
    refused = await server.client.post("/", content=b"x" * 101)
    assert_problem(refused, 429, "too_busy")
    assert (refused.json()["limit"], refused.json()["actual"]) == (HELD, HELD + 1)
    assert refused.headers["retry-after"] == "1"
    fitting = await server.holding(100)
    server.answering.set()
    assert [(await each).json() for each in (held, fitting)] == [HELD - 100, 100]
    assert (await server.client.post("/", content=b"x" * HELD)).json() == HELD


async def test_the_end_of_a_body_that_is_held_takes_none(server: Server) -> None:
    is_held, is_over = asyncio.Event(), asyncio.Event()

    async def parts() -> AsyncIterator[bytes]:
        yield b"x" * HELD
        is_held.set()
        await is_over.wait()

    large = asyncio.create_task(server.client.post("/", content=parts()))
    await is_held.wait()
    small = await server.holding(SMALL)
    is_over.set()
    server.answering.set()
    assert [(await each).json() for each in (large, small)] == [HELD, SMALL]


async def test_bodies_that_are_sent_in_parts_are_counted_as_they_come(server: Server) -> None:
    async def parts() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 10
        raise AssertionError("more is asked for than there is room for")

    held = await server.holding(HELD - 100)
    assert_problem(await server.client.post("/", content=parts()), 429, "too_busy")
    server.answering.set()
    assert (await held).json() == HELD - 100


async def _parts(name: str, read: list[str], parts: int = 20) -> AsyncIterator[bytes]:
    for _ in range(parts):
        read.append(name)
        yield b"x" * (SMALL + 1)


async def test_large_ones_are_read_in_the_order_in_which_they_came(server: Server) -> None:
    server.answering.set()
    read = list[str]()
    await asyncio.gather(*(server.client.post("/", content=_parts(name, read)) for name in "abc"))
    assert "".join(read) == 20 * "a" + 20 * "b" + 20 * "c"


async def test_nobody_else_waits_until_a_large_one_is_read(server: Server) -> None:
    server.answering.set()
    read = list[str]()
    large = asyncio.create_task(server.client.post("/", content=_parts("large", read, 50)))
    while not read:
        await asyncio.sleep(0)
    assert (await server.client.post("/", content=b"x" * SMALL)).status_code == 200
    assert (await server.client.get("/health")).status_code == 200
    assert len(read) < 50
    assert (await large).json() == 50 * (SMALL + 1)


async def test_small_ones_are_taken_however_much_is_held(server: Server) -> None:
    held = [await server.holding(HELD), await server.holding(SMALL)]
    assert_problem(await server.client.post("/", content=b"x" * (SMALL + 1)), 429, "too_busy")
    server.answering.set()
    assert [(await each).json() for each in held] == [HELD, SMALL]
