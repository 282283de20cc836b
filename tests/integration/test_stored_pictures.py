"""POST /file/resize by way of object storage: a source that was uploaded, a result that is fetched."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from localstack_client.session import Session
from PIL import Image
from starlette.responses import Response

from infra.gateway.asgi import load_app
from infra.local.ports import HOST, listen
from infra.local.server import served_in_thread
from shared.config import StorageSettings
from shared.db.storage import ObjectStorage, object_storage
from shared.images.limits import Limits
from shared.on_startup.pictures import answer_bytes, picture_limits
from shared.on_startup.storage import create_storage
from tests.accounts import SignedIn, sign_in
from tests.integration.problems import assert_problem
from tests.integration.storage import JPEG, Uploader, put
from tests.integration.uploads import Resizer
from tests.pictures import decoded, encoded, noise

HUNDRED = "width=100&format=png"
SIZE = (100, 67)


@pytest.fixture
def uploader(client: httpx.AsyncClient, signed_in: SignedIn) -> Uploader:
    return Uploader.of(client, signed_in)


@pytest.fixture
def resize(monkeypatch: pytest.MonkeyPatch) -> Iterator[Overriding]:
    with ExitStack() as opened:
        yield Overriding(monkeypatch, opened)


class Overriding:
    """Gives `resize` other limits and another storage than the run's, for one test."""

    def __init__(self, patch: pytest.MonkeyPatch, opened: ExitStack) -> None:
        self._patch = patch
        self._opened = opened

    def __call__(self, dependency: Any, value: Any) -> None:
        self._patch.setitem(load_app("resize").dependency_overrides, dependency, lambda: value)

    def storage(self, **settings: str) -> None:
        storage = create_storage(StorageSettings.from_environment(settings))
        self._opened.callback(storage.close)
        self(object_storage, storage)


@contextmanager
def answering(status: int) -> Iterator[str]:
    """Give the `host:port` of a storage that answers everything with this status."""
    listener = listen(0)
    with served_in_thread(Response(b"", status), listener):
        yield f"{HOST}:{listener.getsockname()[1]}"


async def test_source_is_resized_as_the_same_bytes_are(
    uploader: Uploader, resizer: Resizer, photograph: bytes
) -> None:
    answer = await uploader.resize(HUNDRED, await uploader.upload(photograph))
    assert answer.status_code == 200
    assert answer.content == (await resizer.post(HUNDRED, photograph)).content
    assert answer.headers["content-disposition"] == 'inline; filename="image-100x67.png"'


async def test_source_can_be_resized_again(uploader: Uploader, photograph: bytes) -> None:
    source = await uploader.upload(photograph)
    for _ in range(2):
        assert decoded((await uploader.resize(HUNDRED, source)).content).size == SIZE


async def test_its_bytes_and_not_its_type_say_what_a_source_is(uploader: Uploader, photograph: bytes) -> None:
    assert (
        await uploader.resize("width=9", await uploader.upload(photograph, "image/gif"))
    ).status_code == 200
    hidden = await uploader.upload(b"<script>", "image/png")
    assert_problem(await uploader.resize(HUNDRED, hidden), 415, "source_unsupported")


async def test_source_of_another_user_is_none(client: httpx.AsyncClient, uploader: Uploader) -> None:
    other = Uploader.of(client, await sign_in(client))
    source = await other.upload(b"theirs")
    assert_problem(await uploader.resize(HUNDRED, source), 404, "source_not_found")


@pytest.mark.parametrize("source", [uuid4(), UUID(int=0)])
async def test_source_that_is_missing_is_not_found(uploader: Uploader, source: UUID) -> None:
    assert_problem(await uploader.resize(HUNDRED, str(source)), 404, "source_not_found")


async def test_source_that_was_asked_for_and_never_sent_is_not_found(uploader: Uploader) -> None:
    source = (await uploader.ask(JPEG, 9)).json()["source"]
    assert_problem(await uploader.resize(HUNDRED, source), 404, "source_not_found")


async def test_source_that_was_deleted_is_not_found(
    uploader: Uploader, photograph: bytes, storage_host: str
) -> None:
    ticket = (await uploader.ask(JPEG, len(photograph))).json()
    source = await put(ticket, photograph)
    bucket, _, key = urlsplit(ticket["url"]).path[1:].partition("/")
    Session(localstack_host=storage_host).client("s3").delete_object(Bucket=bucket, Key=key)
    assert_problem(await uploader.resize(HUNDRED, source), 404, "source_not_found")


ELSEWHERE = [
    "",
    "../x",
    "uploads/x",
    "results/x",
    "..%2f..%2fx",
    "https://example.com/x.jpg",
    "file:///etc/passwd",
    "s3://another-bucket/x",
    "another-bucket/x",
    "\0",
    "a" * 10_000,
    7,
    None,
    ["x"],
    {"bucket": "another-bucket", "key": "x"},
]


@pytest.mark.parametrize("source", ELSEWHERE, ids=repr)
async def test_source_is_a_name_and_no_place(uploader: Uploader, source: Any) -> None:
    assert_problem(await uploader.resize(HUNDRED, source), 422, "body_invalid")


async def test_key_of_ones_own_source_is_no_source(uploader: Uploader, photograph: bytes) -> None:
    ticket = (await uploader.ask(JPEG, len(photograph))).json()
    source = await put(ticket, photograph)
    for beside in (f"{source}/", f"./{source}", ticket["url"], f"{source}\0"):
        assert_problem(await uploader.resize(HUNDRED, beside), 422, "body_invalid")


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"source": NaN}', b"\xff"])
async def test_json_that_names_no_source_is_refused(resizer: Resizer, body: bytes) -> None:
    assert_problem(await resizer.post(HUNDRED, body, "application/json"), 422, "body_invalid")


async def test_json_is_bounded_as_json_is(resizer: Resizer) -> None:
    answer = await resizer.post(HUNDRED, b" " * 20_000, "application/json")
    assert assert_problem(answer, 413, "body_too_large")["limit"] == 16 * 1024


async def test_nobody_s_source_is_read_without_a_token(client: httpx.AsyncClient) -> None:
    answer = await client.post(f"/file/resize?{HUNDRED}", json={"source": str(uuid4())})
    assert_problem(answer, 401, "invalid_token")


async def test_more_bytes_than_were_signed_for_are_refused_before_they_are_read(
    uploader: Uploader, photograph: bytes, resize: Overriding, monkeypatch: pytest.MonkeyPatch
) -> None:
    """moto takes an upload of any length, as another S3 server may; AWS's does not."""
    ticket = (await uploader.ask(JPEG, 10)).json()
    source = await put(ticket, photograph)
    resize(picture_limits, Limits(source_bytes=10, source_pixels=1_000_000))
    monkeypatch.setattr(ObjectStorage, "get", None)
    problem = assert_problem(await uploader.resize(HUNDRED, source), 413, "source_too_large")
    assert (problem["limit"], problem["actual"]) == (10, len(photograph))


async def test_result_that_is_too_large_for_the_answer_is_fetched(
    resizer: Resizer, resize: Overriding, photograph: bytes
) -> None:
    whole = await resizer.post("width=400&format=png", photograph)
    resize(answer_bytes, len(whole.content) - 1)
    answer = await resizer.post_file("width=400&format=png", "naïve.jpg", photograph)
    assert (answer.status_code, answer.content) == (303, b"")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["server-timing"].startswith("queue;dur=")
    fetched = httpx.get(answer.headers["location"])
    assert (fetched.status_code, fetched.content) == (200, whole.content)
    assert fetched.headers["content-type"] == "image/png"
    disposition = fetched.headers["content-disposition"]
    assert disposition == "inline; filename=\"na_ve-400x267.png\"; filename*=UTF-8''na%C3%AFve-400x267.png"


async def test_result_that_just_fits_is_answered(
    resizer: Resizer, resize: Overriding, photograph: bytes
) -> None:
    whole = await resizer.post(HUNDRED, photograph)
    resize(answer_bytes, len(whole.content))
    assert (await resizer.post(HUNDRED, photograph)).content == whole.content


async def test_result_is_named_after_its_bytes_in_the_folder_of_its_user(
    uploader: Uploader, resize: Overriding, photograph: bytes, bucket: str
) -> None:
    resize(answer_bytes, 1)
    source = await uploader.upload(photograph)
    answers = [await uploader.resize(HUNDRED, source) for _ in range(2)]
    paths = {answer.headers["location"].partition("?")[0] for answer in answers}
    content = httpx.get(answers[0].headers["location"]).content
    me = load_app("upload").state.token_verifier.verify(uploader.authorization["Authorization"][7:])
    [path] = paths
    assert path.endswith(f"/{bucket}/results/{me.user_id}/{hashlib.sha256(content).hexdigest()}.png")


async def test_without_storage_a_large_result_is_refused_with_its_size(
    resizer: Resizer, resize: Overriding, photograph: bytes
) -> None:
    whole = await resizer.post(HUNDRED, photograph)
    resize(answer_bytes, 1)
    resize.storage()
    problem = assert_problem(await resizer.post(HUNDRED, photograph), 413, "result_too_large")
    assert (problem["limit"], problem["actual"]) == (1, len(whole.content))


async def test_without_storage_there_are_no_sources(uploader: Uploader, resize: Overriding) -> None:
    resize.storage()
    answer = await uploader.resize(HUNDRED, str(uuid4()))
    assert "S3_BUCKET" in assert_problem(answer, 503, "storage_unavailable")["detail"]
    assert "retry-after" not in answer.headers


async def test_storage_that_is_down_is_a_503(
    uploader: Uploader, resizer: Resizer, resize: Overriding, photograph: bytes
) -> None:
    resize.storage(S3_BUCKET="pictures", LOCALSTACK_HOST=f"{HOST}:1")
    resize(answer_bytes, 1)
    for answer in (
        await uploader.resize(HUNDRED, str(uuid4())),
        await resizer.post(HUNDRED, photograph),
    ):
        assert_problem(answer, 503, "storage_unavailable")
        assert answer.headers["retry-after"] == "5"
        assert HOST not in answer.text


@pytest.mark.parametrize("status", [403, 500, 503])
async def test_storage_that_fails_is_a_503(uploader: Uploader, resize: Overriding, status: int) -> None:
    with answering(status) as host:
        resize.storage(S3_BUCKET="pictures", LOCALSTACK_HOST=host)
        answer = await uploader.resize(HUNDRED, str(uuid4()))
    assert_problem(answer, 503, "storage_unavailable")


async def test_storage_is_not_reached_for_what_needs_none(
    resizer: Resizer, resize: Overriding, photograph: bytes
) -> None:
    resize.storage(S3_BUCKET="pictures", LOCALSTACK_HOST=f"{HOST}:1")
    assert (await resizer.post(HUNDRED, photograph)).status_code == 200


async def test_picture_of_twelve_megabytes_is_resized(uploader: Uploader) -> None:
    content = encoded(noise((2400, 1800)), "JPEG", quality=99, subsampling=0)
    assert len(content) > 12_000_000
    answer = await uploader.resize("width=600", await uploader.upload(content))
    assert Image.open(io.BytesIO(answer.content)).size == (600, 450)
