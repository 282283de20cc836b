"""Environments behind the front door: they end, hang, are stopped and replaced, and load what was changed."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from infra.gateway import reload
from infra.gateway.errors import EnvironmentLost
from infra.gateway.functions import Function
from infra.gateway.runtime import open_front_door
from infra.local.ports import listen
from infra.local.server import Server
from tests.integration.problems import assert_problem
from tests.runtime.front_door import QUIET, ROUTES, TIMEOUT_SECONDS, front_door, stub


@pytest.fixture(scope="module")
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with front_door(QUIET, [stub()], ROUTES) as client:
        yield client


async def test_environment_killed_in_the_middle_is_a_502_and_replaced(client: httpx.AsyncClient) -> None:
    before = (await client.post("/do/pid")).text
    assert_problem(await client.post("/do/kill"), 502, "environment_lost")
    after = await client.post("/do/pid")
    assert after.status_code == 200 and after.text != before


@pytest.mark.parametrize("what", ["exit", "leave"])
async def test_environment_that_exits_is_a_502_and_replaced(client: httpx.AsyncClient, what: str) -> None:
    answer = await client.post(f"/do/{what}")
    assert_problem(answer, 502, "environment_lost")
    assert "secret" not in answer.text
    assert (await client.post("/do/pid")).status_code == 200


async def test_environment_whose_child_holds_its_output_is_replaced(client: httpx.AsyncClient) -> None:
    for _ in range(2):
        assert_problem(await client.post("/do/orphan"), 502, "environment_lost")
    assert (await client.post("/do/pid")).status_code == 200


async def test_function_that_takes_too_long_is_a_504_and_replaced(client: httpx.AsyncClient) -> None:
    before = (await client.post("/do/pid")).text
    problem = assert_problem(await client.post("/do/hang"), 504, "function_timed_out")
    assert problem["limit"] == TIMEOUT_SECONDS
    after = await client.post("/do/pid")
    assert after.status_code == 200 and after.text != before
    with pytest.raises(ProcessLookupError):
        os.kill(int(before), 0)


async def test_more_environments_are_started_when_none_is_idle() -> None:
    options = replace(QUIET, processes=2)
    async with front_door(options, [stub()], ROUTES) as client:
        answers = await asyncio.gather(*(client.post("/do/slow") for _ in range(6)))
        assert len({answer.text for answer in answers}) == 2


async def test_function_whose_requests_wait_has_as_many_environments_as_it_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_until = tmp_path / "now"
    monkeypatch.setenv("HELD_UNTIL", str(held_until))
    function = replace(stub(), timeout=30, environments=3)
    async with front_door(QUIET, [function], ROUTES) as client:
        waiting = [asyncio.create_task(client.post("/do/hold")) for _ in range(2)]
        assert (await client.post("/do/pid")).status_code == 200
        assert not any(task.done() for task in waiting)
        held_until.touch()
        assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [200, 200]


async def test_frozen_environment_goes_on_where_it_was(client: httpx.AsyncClient) -> None:
    pid = int((await client.post("/do/pid")).text)
    os.kill(pid, signal.SIGSTOP)
    asked = asyncio.create_task(client.post("/do/pid"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(asked), 0.2)
    os.kill(pid, signal.SIGCONT)
    assert (await asked).text == str(pid)


async def test_stopping_lets_what_is_under_way_come_to_its_end() -> None:
    async with front_door(QUIET, [stub()], ROUTES) as client:
        pid = int((await client.post("/do/pid")).text)
        under_way = asyncio.create_task(client.post("/do/slow"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(under_way), 0.1)
    assert (await under_way).text == str(pid)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


async def test_stopping_waits_only_so_long_and_says_so() -> None:
    listener = listen(0)
    base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with (
        open_front_door(QUIET, [stub()], ROUTES) as app,
        httpx.AsyncClient(base_url=base_url) as client,
    ):
        server = Server(app, drain_seconds=0)
        serving = asyncio.create_task(server.serve([listener]))
        await server.ready.wait()
        under_way = asyncio.create_task(client.post("/do/hang"))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(under_way), 0.3)
        server.should_exit = True
        assert_problem(await under_way, 502, "environment_lost")
        await serving


async def test_function_that_cannot_start_stops_the_front_door() -> None:
    broken = Function("broken", module="tests.runtime.nothing_here")
    printed: list[bytes] = []
    options = replace(QUIET, print_=printed.append)
    with pytest.raises(EnvironmentLost, match="broken cannot be started"):
        async with front_door(options, [broken], []):
            pass
    assert b"No module named 'tests.runtime.nothing_here'" in b"".join(printed)


async def test_changed_code_is_loaded_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "functions" / "stub").mkdir(parents=True)
    (tmp_path / "shared").mkdir()
    monkeypatch.setattr(reload, "FUNCTIONS", tmp_path / "functions")
    monkeypatch.setattr(reload, "SHARED", tmp_path / "shared")
    options = replace(QUIET, reload=True)
    async with front_door(options, [stub()], ROUTES) as client:
        before = (await client.post("/do/pid")).text
        source = tmp_path / "functions" / "stub" / "service.py"
        # Written until it is noticed: nothing says when the watch has begun.
        while (after := (await client.post("/do/pid")).text) == before:
            source.write_text(f"# {time.monotonic_ns()}")
        assert after != before


async def test_function_that_broke_is_told_at_once_and_mended_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "mended.py"
    module.write_text("from tests.runtime.handlers import handler")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "functions").mkdir()
    monkeypatch.setattr(reload, "FUNCTIONS", tmp_path / "functions")
    monkeypatch.setattr(reload, "SHARED", tmp_path)
    function = replace(stub(), module="mended")
    async with front_door(replace(QUIET, reload=True), [function], ROUTES) as client:
        assert (await client.post("/do/pid")).status_code == 200
        while (await client.post("/do/pid")).status_code == 200:
            module.write_text(f"this is no Python {time.monotonic_ns()}")
        problem = assert_problem(await client.post("/do/pid"), 502, "environment_lost")
        assert problem["detail"].startswith("stub")
        module.write_text("from tests.runtime.handlers import handler")
        while (await client.post("/do/pid")).status_code != 200:
            await asyncio.sleep(0.01)


async def test_scheduled_function_is_invoked_from_the_start() -> None:
    printed: list[bytes] = []
    function = replace(stub(), schedules=("rate(5 minutes)",), module="tests.runtime.scheduled")
    async with front_door(replace(QUIET, print_=printed.append), [function], []):
        while not printed:
            await asyncio.sleep(0.01)
    assert b"Scheduled Event of aws.scheduler" in b"".join(printed)
