from __future__ import annotations

import logging
import threading

import pytest
from prometheus_client import CollectorRegistry, Counter

from shared.metrics import push as module
from shared.metrics.instruments import push_failures
from shared.metrics.push import MetricsPush
from tests.unit.metrics.gateway import Gateway

FAILURES = "passepartout_push_failures_total"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def jobs(registry: CollectorRegistry) -> Counter:
    return Counter("jobs", "Jobs.", registry=registry)


@pytest.fixture
def push(gateway: Gateway, registry: CollectorRegistry) -> MetricsPush:
    return MetricsPush(registry, push_failures(registry), gateway.url, "resize", "environment-1")


@pytest.fixture
def _long_interval(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "INTERVAL_SECONDS", 3600.0)


def test_whole_registry_is_put_in_the_group_of_the_environment(
    push: MetricsPush, gateway: Gateway, jobs: Counter
) -> None:
    jobs.inc(3)
    push.push()
    pushed = gateway.next()
    assert (pushed.method, pushed.path) == ("PUT", "/metrics/job/resize/instance/environment-1")
    assert pushed.content_type is not None and pushed.content_type.startswith("text/plain; version=0.0.4")
    assert "jobs_total 3.0" in pushed.lines and f"{FAILURES} 0.0" in pushed.lines


def test_name_of_a_lambda_log_stream_is_one_instance(gateway: Gateway, registry: CollectorRegistry) -> None:
    MetricsPush(registry, push_failures(registry), gateway.url, "resize", "2026/11/24/[$LATEST]ab").push()
    assert gateway.next().path == "/metrics/job/resize/instance@base64/MjAyNi8xMS8yNC9bJExBVEVTVF1hYg=="


@pytest.mark.usefixtures("_long_interval")
def test_zeros_are_pushed_at_the_start_and_the_last_counts_at_the_stop(
    push: MetricsPush, gateway: Gateway, jobs: Counter
) -> None:
    push.start()
    assert "jobs_total 0.0" in gateway.next().lines
    jobs.inc(2)
    push.stop()
    assert not [thread for thread in threading.enumerate() if thread.name == "metrics-push-resize"]
    assert "jobs_total 2.0" in gateway.received.get_nowait().lines
    assert gateway.received.empty()


def test_push_is_repeated_while_the_function_runs(
    push: MetricsPush, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "INTERVAL_SECONDS", 0.001)
    push.start()
    assert {gateway.next().method for _ in range(4)} == {"PUT"}
    push.stop()


def test_interval_and_timeout_are_those_of_the_contract() -> None:
    assert (module.INTERVAL_SECONDS, module.TIMEOUT_SECONDS) == (5, 0.5)


@pytest.mark.parametrize("status", [400, 404, 413, 500, 503])
def test_refused_push_is_counted_and_logged_and_not_raised(
    push: MetricsPush,
    gateway: Gateway,
    registry: CollectorRegistry,
    caplog: pytest.LogCaptureFixture,
    status: int,
) -> None:
    gateway.status = status
    push.push()
    assert registry.get_sample_value(FAILURES) == 1
    [(logger, level, message)] = caplog.record_tuples
    assert (logger, level) == ("passepartout.metrics", logging.WARNING) and str(status) in message


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1", "http://", "http://[", "http://127.0.0.1:port", "", "ftp://x"]
)
def test_gateway_that_is_not_there_is_counted_and_not_raised(registry: CollectorRegistry, url: str) -> None:
    MetricsPush(registry, push_failures(registry), url, "resize", "environment-1").push()
    assert registry.get_sample_value(FAILURES) == 1


def test_gateway_that_does_not_answer_is_given_up(
    push: MetricsPush, gateway: Gateway, registry: CollectorRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    gateway.hangs = True
    monkeypatch.setattr(module, "TIMEOUT_SECONDS", 0.05)
    push.push()
    assert registry.get_sample_value(FAILURES) == 1


def test_failures_are_told_with_the_next_push_that_succeeds(push: MetricsPush, gateway: Gateway) -> None:
    gateway.status = 503
    push.push()
    gateway.status = 200
    push.push()
    assert f"{FAILURES} 0.0" in gateway.next().lines
    assert f"{FAILURES} 1.0" in gateway.next().lines


def _fail(push: MetricsPush, gateway: Gateway, times: int) -> None:
    gateway.status = 503
    for _ in range(times):
        push.push()
        gateway.next()
    gateway.status = 200


def test_breaker_opens_after_three_failures_in_a_row_and_is_silent(
    push: MetricsPush,
    gateway: Gateway,
    clock: Clock,
    registry: CollectorRegistry,
    caplog: pytest.LogCaptureFixture,
) -> None:
    _fail(push, gateway, times=3)
    caplog.clear()
    clock.now += 59.9
    push.push()
    assert gateway.received.empty()
    assert registry.get_sample_value(FAILURES) == 3 and caplog.records == []


def test_breaker_closes_after_a_minute(push: MetricsPush, gateway: Gateway, clock: Clock) -> None:
    _fail(push, gateway, times=3)
    clock.now += 60
    push.push()
    assert f"{FAILURES} 3.0" in gateway.next().lines
    _fail(push, gateway, times=2)
    push.push()
    assert f"{FAILURES} 5.0" in gateway.next().lines


@pytest.mark.usefixtures("clock")
def test_success_between_failures_keeps_the_breaker_closed(push: MetricsPush, gateway: Gateway) -> None:
    for _ in range(3):
        _fail(push, gateway, times=2)
        push.push()
        gateway.next()
    push.push()
    assert f"{FAILURES} 6.0" in gateway.next().lines


def test_breaker_opens_again_at_the_first_failure_after_it(
    push: MetricsPush, gateway: Gateway, clock: Clock
) -> None:
    _fail(push, gateway, times=3)
    clock.now += 60
    _fail(push, gateway, times=1)
    push.push()
    assert gateway.received.empty()


@pytest.mark.usefixtures("_long_interval", "clock")
def test_stop_is_silent_too_while_the_breaker_is_open(push: MetricsPush, gateway: Gateway) -> None:
    _fail(push, gateway, times=3)
    push.start()
    push.stop()
    assert gateway.received.empty()
