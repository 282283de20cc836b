"""S3 over HTTP, by moto's server: in memory, so that it is empty at each start."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from infra.local.ports import HOST, free_port
from infra.local.programs import request_when_ready, running

PREFERRED_PORT = 9000


@contextmanager
def object_storage(preferred_port: int = PREFERRED_PORT) -> Iterator[str]:
    """Start serving S3; give its URL. It is ready when a bucket has been made in it."""
    port = free_port(preferred_port)
    with running([sys.executable, "-m", "moto.server", "--host", HOST, "--port", str(port)]):
        yield f"http://{HOST}:{port}"


def make_bucket(url: str, bucket: str) -> None:
    """Make a bucket as soon as S3 is ready; moto wants no signature."""
    request_when_ready("PUT", f"{url}/{bucket}")
