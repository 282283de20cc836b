from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from infra.local.pushgateway import create_pushgateway
from infra.local.server import served_in_thread


@pytest.fixture
def pushgateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A Pushgateway that the functions push to."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        monkeypatch.setenv("PUSHGATEWAY_URL", url)
        with served_in_thread(create_pushgateway(), listener):
            yield url
