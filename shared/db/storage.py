"""Typed access to the object storage that `on_startup.storage` reaches."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Any, TypeVar, cast

from fastapi import Request

from shared.concurrency import BoundedThreads
from shared.errors import Problem, SourceNotFound, SourceTooLarge, StorageUnavailable, TooSlow
from shared.responses import inline_filename

THREADS = 8
CALL_SECONDS = 8.0
"""Until a call is given up, its retries and the wait for a thread included."""
RETRY_AFTER_SECONDS = 5
ADDRESS_SECONDS = 15 * 60
"""How long an address is good, within which an upload or a download has to begin."""

PAGE = 1000
"""Objects that S3 lists, and deletes, by one request."""

MISSING = ("404", "NoSuchKey")
REPLACED = ("412", "PreconditionFailed")

Result = TypeVar("Result")

logger = logging.getLogger("passepartout.storage")


@dataclass(frozen=True, slots=True)
class StoredObject:
    length: int
    content_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class ListedObject:
    key: str
    written_at: datetime


@dataclass(frozen=True, slots=True)
class Clients:
    """Clients of boto3, which ships no types: one that calls, and one that signs what callers will call."""

    calling: Any
    signing: Any


class ObjectStorage:
    """One bucket, on threads beside the event loop; `connect` makes the clients at the first call.

    Every call raises StorageUnavailable when the storage cannot be reached, fails or is not configured, and
    TooBusy when too many calls wait.
    """

    def __init__(self, bucket: str | None, connect: Callable[[], Clients]) -> None:
        self._bucket = bucket
        self._connect = connect
        self._clients: Clients | None = None
        self._lock = Lock()
        self._threads: BoundedThreads[Any] = BoundedThreads(THREADS)

    @property
    def bucket(self) -> str:
        return self._bucket or ""

    @property
    def is_configured(self) -> bool:
        return self._bucket is not None

    async def put(self, key: str, content: bytes, content_type: str) -> str:
        """Write the object, and return its ETag; one that was there is replaced."""
        answer = await self._run(
            lambda clients: clients.calling.put_object(
                Bucket=self._bucket, Key=key, Body=content, ContentType=content_type
            )
        )
        return cast(str, answer["ETag"])

    async def head(self, key: str) -> StoredObject:
        """Describe the object without reading it. Raises SourceNotFound."""
        answer = await self._run(lambda clients: clients.calling.head_object(Bucket=self._bucket, Key=key))
        return StoredObject(answer["ContentLength"], answer.get("ContentType", ""), answer["ETag"])

    async def get(self, key: str, *, limit: int, etag: str | None = None) -> bytes:
        """Read the object; with `etag`, only as it was then.

        Raises SourceTooLarge before a byte is read where it has more than `limit`, and SourceNotFound.
        """
        pinned = {} if etag is None else {"IfMatch": etag}

        def read(clients: Clients) -> bytes:
            answer = clients.calling.get_object(Bucket=self._bucket, Key=key, **pinned)
            with answer["Body"] as body:
                check_length(answer["ContentLength"], limit)
                return cast(bytes, body.read())

        return await self._run(read)

    async def presigned_get(self, key: str, *, expires_in: int, filename: str, content_type: str) -> str:
        """Return an address that reads the object for so many seconds, shown and saved under this name."""
        parameters = {
            "Key": key,
            "ResponseContentDisposition": inline_filename(filename),
            "ResponseContentType": content_type,
        }
        return await self._presigned("get_object", parameters, expires_in)

    async def presigned_put(
        self, key: str, *, content_type: str, content_length: int, expires_in: int
    ) -> str:
        """Return an address that takes, for so many seconds, a body of this type and this very length."""
        parameters = {"Key": key, "ContentType": content_type, "ContentLength": content_length}
        return await self._presigned("put_object", parameters, expires_in)

    async def page(self, prefix: str, after: str) -> list[ListedObject]:
        """Return the objects of that prefix whose keys come after `after`, in their order, at most a PAGE."""
        answer = await self._run(
            lambda clients: clients.calling.list_objects_v2(
                Bucket=self._bucket, Prefix=prefix, StartAfter=after, MaxKeys=PAGE
            )
        )
        return [ListedObject(each["Key"], each["LastModified"]) for each in answer.get("Contents", ())]

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete the objects, at most a PAGE; one that is not there is no error."""
        named = {"Objects": [{"Key": key} for key in keys], "Quiet": True}
        answer = await self._run(
            lambda clients: clients.calling.delete_objects(Bucket=self._bucket, Delete=named)
        )
        if failed := answer.get("Errors"):
            raise _unavailable(RuntimeError(f"{len(failed)} not deleted, {failed[0].get('Code')}"))

    def close(self) -> None:
        self._threads.close()

    async def _presigned(self, operation: str, parameters: dict[str, Any], expires_in: int) -> str:
        url = await self._run(
            lambda clients: clients.signing.generate_presigned_url(
                operation, Params={"Bucket": self._bucket, **parameters}, ExpiresIn=expires_in
            )
        )
        return cast(str, url)

    async def _run(self, call: Callable[[Clients], Result]) -> Result:
        if not self.is_configured:
            raise StorageUnavailable("There is no object storage here: S3_BUCKET is not set.")
        try:
            return cast(Result, await self._threads.run(lambda: self._translated(call), CALL_SECONDS))
        except TooSlow as error:
            raise _unavailable(error) from error

    def _translated(self, call: Callable[[Clients], Result]) -> Result:
        # Heavy, and in memory by now where the clients are made.
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return call(self._connected())
        except ClientError as error:
            raise _refusal(error, error.response["Error"]["Code"]) from error
        except BotoCoreError as error:
            raise _unavailable(error) from error

    def _connected(self) -> Clients:
        with self._lock:
            if self._clients is None:
                self._clients = self._connect()
            return self._clients


def check_length(actual: int, limit: int) -> None:
    """Raise SourceTooLarge where there are more bytes than are taken."""
    if actual > limit:
        raise SourceTooLarge(f"At most {limit} bytes are taken.", limit=limit, actual=actual)


def _refusal(error: Exception, code: str) -> Problem:
    if code in MISSING:
        return SourceNotFound("There is no such upload of yours, or it has expired.")
    if code in REPLACED:
        return SourceNotFound("The upload was replaced by another while it was read.")
    return _unavailable(error)


def _unavailable(error: Exception) -> StorageUnavailable:
    logger.error("object storage unavailable: %s: %s", type(error).__name__, error)
    return StorageUnavailable("Please try again shortly.", retry_after=RETRY_AFTER_SECONDS)


async def object_storage(request: Request) -> ObjectStorage:
    """The app's object storage, for an endpoint to depend on."""
    return cast(ObjectStorage, request.app.state.object_storage)
