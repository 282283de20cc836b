"""A Pushgateway over HTTP for a test: the project's own, with a clock that the test sets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import httpx
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from infra.local import pushed_metrics, pushgateway
from infra.local.ports import HOST, listen
from infra.local.programs import request_when_ready
from infra.local.server import served_in_thread
from shared.metrics import push, pushed_groups
from shared.metrics.instruments import push_failures

PATIENCE_SECONDS = 10.0
"""Instead of the time-outs of a moment: only a test that fails waits so long."""


class Gateway:
    def __init__(self, url: str) -> None:
        self.url = url
        self.seconds_ago = 0.0
        self._client = httpx.Client(base_url=url, trust_env=False)

    def now(self) -> float:
        return time.time() - self.seconds_ago

    def push(self, job: str, instance: str) -> None:
        """Push as a function does in its environment."""
        registry = CollectorRegistry()
        push.MetricsPush(registry, push_failures(registry), self.url, job, instance).push()
        assert (job, instance) in self.groups()

    def push_text(self, path: str, text: str) -> None:
        self._client.put(f"/metrics/{path}", content=text).raise_for_status()

    def groups(self) -> set[tuple[str, ...]]:
        """Return the grouping labels of each group: job, instance, and any others there are."""
        families = text_string_to_metric_families(self._client.get("/metrics").text)
        labels = [s.labels for family in families for s in family.samples if s.name == "push_time_seconds"]
        return {(each.pop("job"), each.pop("instance"), *each.values()) for each in labels}

    def close(self) -> None:
        self._client.close()


@contextmanager
def served_gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    """Serve a Pushgateway with nothing on it."""
    monkeypatch.setattr(push, "TIMEOUT_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(pushed_groups, "CONNECT_TIMEOUT_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setattr(pushed_groups, "TOTAL_TIMEOUT_SECONDS", PATIENCE_SECONDS)
    monkeypatch.setenv("no_proxy", HOST)
    listener = listen(0)
    gateway = Gateway(f"http://{HOST}:{listener.getsockname()[1]}")
    monkeypatch.setattr(pushed_metrics, "time", SimpleNamespace(time=gateway.now))
    with served_in_thread(pushgateway.create_pushgateway(), listener):
        request_when_ready("GET", f"{gateway.url}/-/ready")
        yield gateway
        gateway.close()
