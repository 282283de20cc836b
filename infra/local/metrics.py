"""A Pushgateway for this machine: Debian's where it is installed, else the small one of our own."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from infra.local.ports import HOST, free_port, listen
from infra.local.programs import request_when_ready, running
from infra.local.pushgateway import create_pushgateway
from infra.local.server import served_in_thread

PREFERRED_PORT = 9091
BINARY = "prometheus-pushgateway"


@contextmanager
def pushgateway() -> Iterator[tuple[str, str]]:
    """Serve a Pushgateway; give its URL, and whose program it is."""
    port = free_port(PREFERRED_PORT)
    url = f"http://{HOST}:{port}"
    binary = shutil.which(BINARY)
    if binary is None:
        with served_in_thread(create_pushgateway(), listen(port)):
            yield url, "our own"
    else:
        with running([binary, f"--web.listen-address={HOST}:{port}"]):
            request_when_ready("GET", f"{url}/-/ready")
            yield url, "Prometheus's"
