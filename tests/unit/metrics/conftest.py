from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import pytest

from tests.unit.metrics.gateway import Gateway


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "*")


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with Gateway() as gateway:
        thread = Thread(target=gateway.serve_forever, args=[0.01])
        thread.start()
        yield gateway
        gateway.released.set()
        gateway.shutdown()
        thread.join()
