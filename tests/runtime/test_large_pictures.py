"""Pictures that no payload of Lambda's holds, over the front door: in by a presigned upload, out by a 303."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator

import httpx
import pytest

from infra.gateway.functions import Function
from infra.gateway.limits import HEADER_BYTES, PAYLOAD_BYTES
from infra.gateway.routes import Route
from shared.config import LAMBDA_ANSWER_BYTES
from tests.accounts import access_token
from tests.integration.problems import assert_problem
from tests.integration.storage import Uploader
from tests.pictures import decoded, encoded, noise
from tests.runtime.front_door import QUIET, front_door

FUNCTIONS = [Function("resize", timeout=29, memory_megabytes=1769), Function("upload", timeout=29)]
ROUTES = [Route("resize", "POST", "/file/resize"), Route("upload", "POST", "/file/upload")]


@pytest.fixture(scope="module")
async def uploader(environment: pytest.MonkeyPatch) -> AsyncIterator[Uploader]:
    async with front_door(QUIET, FUNCTIONS, ROUTES) as client:
        yield Uploader(client, {"Authorization": f"Bearer {access_token()}"})


async def post(uploader: Uploader, query: str, content: bytes) -> httpx.Response:
    return await uploader.client.post(
        f"/file/resize?{query}", content=content, headers=uploader.authorization
    )


async def test_twelve_megabytes_are_told_where_to_go_and_are_resized_there(uploader: Uploader) -> None:
    content = encoded(noise((2400, 1800)), "JPEG", quality=99, subsampling=0)
    assert len(content) > 12_000_000
    refused = assert_problem(await post(uploader, "width=300", content), 413, "payload_too_large")
    assert "POST /file/upload" in refused["detail"]
    answer = await uploader.resize("width=300", await uploader.upload(content))
    assert (answer.status_code, decoded(answer.content).size) == (200, (300, 225))


async def test_answer_larger_than_a_payload_is_fetched_from_storage(uploader: Uploader) -> None:
    content = encoded(noise((1900, 1425)), "JPEG", quality=90)
    assert len(content) < 4_500_000
    answer = await post(uploader, "width=1900&format=png", content)
    assert (answer.status_code, answer.headers["cache-control"]) == (303, "no-store")
    fetched = httpx.get(answer.headers["location"])
    assert len(fetched.content) > PAYLOAD_BYTES
    assert (decoded(fetched.content).format, decoded(fetched.content).size) == ("PNG", (1900, 1425))


def test_largest_picture_that_is_answered_leaves_room_for_its_headers() -> None:
    in_base64 = math.ceil(LAMBDA_ANSWER_BYTES / 3) * 4
    assert in_base64 + HEADER_BYTES < PAYLOAD_BYTES < in_base64 + 3 * HEADER_BYTES
