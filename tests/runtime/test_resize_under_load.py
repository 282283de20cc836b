"""Many pictures at once, over the front door, to two environments of `resize`."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace

import httpx
import pytest

from infra.gateway.functions import Function
from infra.gateway.routes import Route
from tests.accounts import access_token
from tests.integration.problems import assert_problem
from tests.runtime.front_door import QUIET, front_door

RESIZE = [Function("resize", timeout=29, memory_megabytes=1769)]
ROUTES = [Route("resize", "POST", "/file/resize")]
REQUESTS = 200


@pytest.mark.usefixtures("environment")
async def test_every_one_of_200_is_answered(photograph: bytes) -> None:
    options = replace(QUIET, processes=2)
    headers = {"Authorization": f"Bearer {access_token()}"}
    async with front_door(options, RESIZE, ROUTES) as client:

        async def resize() -> httpx.Response:
            return await client.post("/file/resize?width=20", content=photograph, headers=headers)

        answers = await asyncio.gather(*(resize() for _ in range(REQUESTS)))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses.total() == REQUESTS and set(statuses) <= {200, 429}
    assert statuses[200] >= options.limits.waiting
    for answer in answers:
        if answer.status_code == 429:
            assert_problem(answer, 429, "too_busy")
            assert int(answer.headers["retry-after"]) >= 1
        else:
            assert answer.headers["content-type"] == "image/jpeg" and answer.content[:2] == b"\xff\xd8"


TRIES = 20


@pytest.mark.usefixtures("environment")
async def test_who_obeys_retry_after_is_answered(photograph: bytes) -> None:
    headers = {"Authorization": f"Bearer {access_token()}"}
    async with front_door(replace(QUIET, processes=2), RESIZE, ROUTES) as client:

        async def resize() -> list[int]:
            statuses: list[int] = []
            while len(statuses) < TRIES:
                answer = await client.post("/file/resize?width=20", content=photograph, headers=headers)
                statuses.append(answer.status_code)
                if answer.status_code == 200:
                    break
                await asyncio.sleep(int(answer.headers["retry-after"]))
            return statuses

        tried = await asyncio.gather(*(resize() for _ in range(REQUESTS)))
    assert {statuses[-1] for statuses in tried} == {200}
    assert {status for statuses in tried for status in statuses[:-1]} == {429}
