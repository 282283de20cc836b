"""S3 over HTTP, by moto's server: in memory, so that it is empty at each start."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from moto.server import ThreadedMotoServer

from infra.local.ports import HOST, free_port

PREFERRED_PORT = 9000
CREDENTIALS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
REGION = "us-east-1"


@contextmanager
def object_storage(bucket: str) -> Iterator[str]:
    """Serve S3 with this bucket in it; give its URL."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(HOST, free_port(PREFERRED_PORT), verbose=False)
    server.start()
    try:
        url = f"http://{HOST}:{server.get_host_and_port()[1]}"
        client = boto3.client("s3", endpoint_url=url, region_name=REGION, **CREDENTIALS)
        client.create_bucket(Bucket=bucket)
        client.close()
        yield url
    finally:
        server.stop()
