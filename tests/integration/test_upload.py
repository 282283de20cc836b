"""POST /file/upload: leave to put one picture into object storage, of one type and one length."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest

from infra.gateway.asgi import load_app
from shared.images.formats import SOURCE_MEDIA_TYPES
from tests.accounts import SignedIn
from tests.integration.problems import assert_problem
from tests.integration.storage import JPEG, Uploader
from tests.signatures import is_signed

TWELVE_MEGABYTES = 12_000_000
LIMIT = 20 * 1024 * 1024
SECRET = "secretkey"
"""Of localstack-client's session."""


@pytest.fixture
def uploader(client: httpx.AsyncClient, signed_in: SignedIn) -> Uploader:
    return Uploader.of(client, signed_in)


async def test_ticket_is_good_for_one_picture_of_this_type_and_length(uploader: Uploader) -> None:
    answer = await uploader.ask(JPEG, TWELVE_MEGABYTES)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    ticket = answer.json()
    assert UUID(ticket["source"]).version == 4
    assert (ticket["method"], ticket["headers"]) == ("PUT", {"Content-Type": JPEG})
    assert ticket["expires_in"] == 900
    assert parse_qs(urlsplit(ticket["url"]).query)["X-Amz-Expires"] == ["900"]
    sent = {"content-type": JPEG, "content-length": str(TWELVE_MEGABYTES)}
    assert is_signed("PUT", ticket["url"], sent, SECRET)
    assert not is_signed("PUT", ticket["url"], sent | {"content-length": "12000001"}, SECRET)
    assert not is_signed("PUT", ticket["url"], sent | {"content-type": "text/html"}, SECRET)


async def test_every_ticket_is_another(uploader: Uploader) -> None:
    sources = [(await uploader.ask(JPEG, 1)).json()["source"] for _ in range(2)]
    assert sources[0] != sources[1]


async def test_object_is_in_the_folder_of_its_user(uploader: Uploader, bucket: str) -> None:
    ticket = (await uploader.ask(JPEG, 1)).json()
    me = load_app("upload").state.token_verifier.verify(uploader.authorization["Authorization"][7:])
    assert urlsplit(ticket["url"]).path == f"/{bucket}/uploads/{me.user_id}/{ticket['source']}"


@pytest.mark.parametrize("content_type", [*SOURCE_MEDIA_TYPES, "IMAGE/JPEG"])
async def test_types_that_are_read_are_taken(uploader: Uploader, content_type: str) -> None:
    ticket = (await uploader.ask(content_type, LIMIT)).json()
    assert ticket["headers"] == {"Content-Type": content_type.lower()}


@pytest.mark.parametrize(
    "content_type", ["", "text/html", "image/svg+xml", "image/jpeg; a=b", "image/jpeg\r\nx: y"]
)
async def test_other_types_are_refused(uploader: Uploader, content_type: str) -> None:
    problem = assert_problem(await uploader.ask(content_type, 1), 415, "source_unsupported")
    assert "image/jpeg, image/png" in problem["detail"]


async def test_longer_picture_than_is_taken_is_refused(uploader: Uploader) -> None:
    problem = assert_problem(await uploader.ask(JPEG, LIMIT + 1), 413, "source_too_large")
    assert (problem["limit"], problem["actual"]) == (LIMIT, LIMIT + 1)


@pytest.mark.parametrize("length", [0, -1, 1.5, "1", True, None, [1], 10**30])
async def test_length_is_a_whole_number_of_bytes(uploader: Uploader, length: Any) -> None:
    problem = assert_problem(await uploader.ask(JPEG, length), 422, "body_invalid")
    assert [error["name"] for error in problem["errors"]] == ["content_length"]


async def test_what_is_not_known_is_refused(client: httpx.AsyncClient, signed_in: SignedIn) -> None:
    body = {"content_type": JPEG, "content_length": 1, "key": "results/x"}
    answer = await client.post("/file/upload", json=body, headers=signed_in.authorization)
    assert_problem(answer, 422, "body_invalid")


async def test_nobody_uploads_without_a_token(client: httpx.AsyncClient) -> None:
    answer = await client.post("/file/upload", content=b"not even JSON")
    assert_problem(answer, 401, "invalid_token")


async def test_length_with_a_point_and_nothing_after_it_is_whole(uploader: Uploader) -> None:
    assert (await uploader.ask(JPEG, 1000.0)).status_code == 201
    problem = assert_problem(await uploader.ask(JPEG, 2.0**53), 422, "body_invalid")
    assert [error["name"] for error in problem["errors"]] == ["content_length"]
