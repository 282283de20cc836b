"""Reaches object storage, when it is first used: boto3 takes a third of a second to load."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import anyio.to_thread
from fastapi import FastAPI

from shared.config import StorageSettings
from shared.db.storage import THREADS, Clients, ObjectStorage

CONNECT_SECONDS = 2
READ_SECONDS = 5
"""Between two reads, not of a whole object."""
ATTEMPTS = 3


@asynccontextmanager
async def open_storage(app: FastAPI) -> AsyncIterator[None]:
    """Put an ObjectStorage on `app.state`; nothing is loaded or connected before its first call."""
    storage = create_storage(StorageSettings.from_environment())
    app.state.object_storage = storage
    try:
        yield
    finally:
        await anyio.to_thread.run_sync(storage.close)


def create_storage(settings: StorageSettings) -> ObjectStorage:
    return ObjectStorage(settings.s3_bucket, partial(_connect, settings))


def _connect(settings: StorageSettings) -> Clients:
    session = None if settings.localstack_host is None else _localstack(settings.localstack_host)
    calling = _calling(session, settings.aws_endpoint_url_s3)
    if settings.s3_public_url is None:
        return Clients(calling, calling)
    # The host is part of what is signed, so an address for others is signed with the host that they see.
    return Clients(calling, _signing(session, settings.s3_public_url))


def _localstack(host: str) -> Any:
    from localstack_client.session import Session

    return Session(localstack_host=host)


def _calling(session: Any | None, endpoint_url: str | None) -> Any:
    import boto3

    if session is not None:
        return session.client("s3", config=_config(is_elsewhere=True, proxies={}))
    return boto3.client("s3", endpoint_url=endpoint_url, config=_config(endpoint_url is not None))


def _signing(session: Any | None, endpoint_url: str) -> Any:
    import boto3

    # The session's own clients go to its host alone.
    credentials = {} if session is None else session.common_protected_kwargs
    return boto3.client("s3", endpoint_url=endpoint_url, config=_config(is_elsewhere=True), **credentials)


def _config(is_elsewhere: bool, **options: Any) -> Any:
    from botocore.config import Config

    return Config(
        signature_version="s3v4",
        # Servers other than AWS's have no name a bucket. At AWS, "virtual" signs for the bucket's own region;
        # the default would sign for a host that redirects, which no signature survives.
        s3={"addressing_style": "path" if is_elsewhere else "virtual"},
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
        max_pool_connections=THREADS,
        # Not all servers know the checksums that are sent by default; TLS guards the bytes.
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        **options,
    )
