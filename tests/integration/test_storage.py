"""Object storage as the functions use it, against a server that speaks S3."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from uuid import uuid4

import httpx
import pytest
from starlette.responses import Response
from starlette.types import ASGIApp

from infra.local.ports import HOST, listen
from infra.local.server import served_in_thread
from shared.config import StorageSettings
from shared.db.storage import ObjectStorage, StoredObject
from shared.errors import Problem, SourceNotFound, SourceTooLarge, StorageUnavailable
from shared.on_startup import storage as on_startup
from shared.on_startup.storage import create_storage
from tests.signatures import is_signed

TEXT = "text/plain"
SECRET = "hunter2"


@pytest.fixture
def settings(bucket: str, storage_host: str) -> StorageSettings:
    return StorageSettings.from_environment({"S3_BUCKET": bucket, "LOCALSTACK_HOST": storage_host})


@pytest.fixture
def storage(settings: StorageSettings) -> Iterator[ObjectStorage]:
    with opened(settings) as storage:
        yield storage


@pytest.fixture
def key() -> str:
    return f"uploads/{uuid4()}/{uuid4()}"


@contextmanager
def opened(settings: StorageSettings) -> Iterator[ObjectStorage]:
    storage = create_storage(settings)
    yield storage
    storage.close()


@contextmanager
def reached_at(url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStorage]:
    """Give the storage at this address, reached with credentials of our own; AWS's where it is empty."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "mine")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    with opened(
        StorageSettings.from_environment({"S3_BUCKET": "pictures", "AWS_ENDPOINT_URL_S3": url})
    ) as it:
        yield it


@contextmanager
def answering(app: ASGIApp) -> Iterator[str]:
    listener = listen(0)
    with served_in_thread(app, listener):
        yield f"http://{HOST}:{listener.getsockname()[1]}"


async def refusal(storage: ObjectStorage) -> Problem:
    with pytest.raises(Problem) as refused:
        await storage.head("uploads/1/2")
    return refused.value


async def test_what_was_put_is_described_and_read(storage: ObjectStorage, key: str) -> None:
    await storage.put(key, b"a picture", TEXT)
    stored = await storage.head(key)
    assert stored == StoredObject(9, TEXT, stored.etag)
    assert await storage.get(key, limit=9) == b"a picture"
    assert await storage.get(key, limit=9, etag=stored.etag) == b"a picture"


async def test_longer_object_is_refused_with_its_length(storage: ObjectStorage, key: str) -> None:
    await storage.put(key, b"a picture", TEXT)
    with pytest.raises(SourceTooLarge) as refused:
        await storage.get(key, limit=8)
    assert (refused.value.limit, refused.value.actual) == (8, 9)


async def test_missing_object_is_not_found(storage: ObjectStorage, key: str) -> None:
    with pytest.raises(SourceNotFound):
        await storage.head(key)
    with pytest.raises(SourceNotFound):
        await storage.get(key, limit=10)


async def test_object_that_was_replaced_is_not_the_one_that_was_judged(
    storage: ObjectStorage, key: str
) -> None:
    await storage.put(key, b"judged", TEXT)
    stored = await storage.head(key)
    await storage.put(key, b"another", TEXT)
    with pytest.raises(SourceNotFound, match="replaced"):
        await storage.get(key, limit=10, etag=stored.etag)


async def test_objects_are_listed_in_order_and_deleted(storage: ObjectStorage) -> None:
    prefix = f"uploads/{uuid4()}/"
    for name in ("b", "a", "c"):
        await storage.put(f"{prefix}{name}", b"a picture", TEXT)
    listed = await storage.page(prefix, f"{prefix}a")
    assert [each.key for each in listed] == [f"{prefix}b", f"{prefix}c"]
    assert abs((datetime.now(UTC) - listed[0].written_at).total_seconds()) < 600
    await storage.delete([f"{prefix}b", f"{prefix}none"])
    assert [each.key for each in await storage.page(prefix, "")] == [f"{prefix}a", f"{prefix}c"]


async def test_object_that_may_not_be_deleted_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = b"<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error></DeleteResult>"
    with answering(Response(refused)) as url, reached_at(url, monkeypatch) as storage:
        with pytest.raises(StorageUnavailable):
            await storage.delete(["a", "b"])


async def test_presigned_address_is_shown_and_saved_under_a_name(storage: ObjectStorage, key: str) -> None:
    await storage.put(key, b"a picture", TEXT)
    url = await storage.presigned_get(key, expires_in=60, filename="é.png", content_type="image/png")
    answer = httpx.get(url)
    assert (answer.content, answer.headers["content-type"]) == (b"a picture", "image/png")
    assert answer.headers["content-disposition"] == "inline; filename=\"_.png\"; filename*=UTF-8''%C3%A9.png"


async def test_presigned_address_takes_a_body(storage: ObjectStorage, key: str) -> None:
    url = await storage.presigned_put(key, content_type="image/jpeg", content_length=4, expires_in=60)
    assert httpx.put(url, content=b"JPEG", headers={"Content-Type": "image/jpeg"}).status_code == 200
    stored = await storage.head(key)
    assert (stored.length, stored.content_type) == (4, "image/jpeg")


async def test_presigned_address_is_signed_for_one_type_and_one_length(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    with reached_at("http://storage:9000", monkeypatch) as storage:
        url = await storage.presigned_put(key, content_type="image/jpeg", content_length=4, expires_in=60)
    whole = {"content-type": "image/jpeg", "content-length": "4"}
    assert is_signed("PUT", url, whole, SECRET)
    for other in ({"content-length": "5"}, {"content-type": "text/html"}, {"host": "elsewhere:9000"}):
        assert not is_signed("PUT", url, whole | other, SECRET)
    assert not is_signed("GET", url, whole, SECRET)
    assert not is_signed("PUT", url.replace(key, f"{key}0"), whole, SECRET)


async def test_address_at_aws_is_in_the_bucket_s_own_region(
    monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with reached_at("", monkeypatch) as storage:
        url = await storage.presigned_put(key, content_type="image/jpeg", content_length=4, expires_in=60)
    assert url.startswith(f"https://pictures.s3.eu-central-1.amazonaws.com/{key}?")


async def test_address_for_callers_is_the_one_that_they_reach(settings: StorageSettings, key: str) -> None:
    public = settings.model_copy(update={"s3_public_url": "https://pictures.example.com"})
    with opened(public) as storage:
        await storage.put(key, b"from inside", TEXT)
        url = await storage.presigned_get(key, expires_in=60, filename="a", content_type=TEXT)
    assert url.startswith(f"https://pictures.example.com/{settings.s3_bucket}/{key}?")


async def test_without_a_bucket_it_is_said_which_setting_is_missing() -> None:
    with opened(StorageSettings.from_environment({})) as storage:
        assert not storage.is_configured
        refused = await refusal(storage)
    assert isinstance(refused, StorageUnavailable)
    assert ("S3_BUCKET" in refused.detail, refused.retry_after) == (True, None)


async def test_storage_that_is_down_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    with reached_at(f"http://{HOST}:1", monkeypatch) as storage:
        refused = await refusal(storage)
    assert isinstance(refused, StorageUnavailable)
    assert refused.retry_after == 5
    assert HOST not in refused.detail


async def test_storage_that_says_nothing_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(on_startup, "READ_SECONDS", 0.05)
    with socket.create_server((HOST, 0)) as silent:
        with reached_at(f"http://{HOST}:{silent.getsockname()[1]}", monkeypatch) as storage:
            assert isinstance(await refusal(storage), StorageUnavailable)


@pytest.mark.parametrize("status", [400, 403, 500, 503])
async def test_storage_that_refuses_us_is_unavailable(status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(Response(b"", status)) as url, reached_at(url, monkeypatch) as storage:
        assert isinstance(await refusal(storage), StorageUnavailable)


async def test_bucket_that_is_missing_is_no_missing_source(settings: StorageSettings, key: str) -> None:
    with opened(settings.model_copy(update={"s3_bucket": "no-such-bucket"})) as storage:
        with pytest.raises(StorageUnavailable):
            await storage.get(key, limit=1)


async def test_call_is_given_up_after_a_time(
    storage: ObjectStorage, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.db.storage.CALL_SECONDS", 0.0)
    with pytest.raises(StorageUnavailable) as refused:
        await storage.put(key, b"", TEXT)
    assert refused.value.retry_after == 5
