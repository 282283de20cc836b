"""A function of ours in AWS's runtime client, behind the front door."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from infra.gateway.functions import Function
from infra.gateway.routes import Route
from tests.runtime.front_door import QUIET, front_door

SLOW = Function("slow", timeout=10, memory_megabytes=256, module="tests.runtime.slow_app")
COLD_STARTS = "passepartout_cold_starts_total"
INIT_DURATION = "passepartout_init_duration_seconds"
REQUESTS = "passepartout_http_requests_total"
ROUTES = [Route("slow", "POST", "/do/{what}")]
ANSWERED = {"job": "slow", "route": "/do/pid", "status": "200"}


@pytest.fixture
async def client() -> AsyncIterator[httpx.AsyncClient]:
    async with served() as client:
        yield client


def served() -> AbstractAsyncContextManager[httpx.AsyncClient]:
    return front_door(QUIET, [SLOW], ROUTES)


async def test_sigterm_in_the_middle_waits_for_the_answer(client: httpx.AsyncClient) -> None:
    pid = (await client.post("/do/pid")).json()
    under_way = asyncio.create_task(client.post("/do/slow"))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(under_way), 0.1)
    os.kill(pid, signal.SIGTERM)
    assert (await under_way).json() == pid
    assert (await client.post("/do/pid")).json() != pid


async def test_sigterm_between_two_events_ends_it_at_once(client: httpx.AsyncClient) -> None:
    pid = (await client.post("/do/pid")).json()
    os.kill(pid, signal.SIGTERM)
    while _is_alive(pid):
        await asyncio.sleep(0.01)
    assert (await client.post("/do/pid")).json() != pid


async def test_metrics_are_pushed_after_the_answers_zeros_first(pushgateway: str) -> None:
    async with served() as client:
        assert (await client.post("/do/pid")).status_code == 200
        at_start = await _pushed(pushgateway)
    at_end = await _pushed(pushgateway)
    assert (at_start[COLD_STARTS], at_start[REQUESTS]) == (0, 0)
    assert (at_end[COLD_STARTS], at_end[REQUESTS]) == (1, 1)
    assert 0 < at_end[INIT_DURATION] < 30


async def test_pushgateway_that_is_down_costs_no_caller_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUSHGATEWAY_URL", "http://127.0.0.1:9")
    async with served() as client:
        assert (await client.post("/do/pid")).status_code == 200


async def _pushed(url: str) -> dict[str, float]:
    """Return the values of the only group, by the sample's name; of requests, those answered 200."""
    async with httpx.AsyncClient() as client:
        text = (await client.get(f"{url}/metrics")).text
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if all(ANSWERED.get(label, value) == value for label, value in sample.labels.items())
    }


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
