"""An app pushes its registry from its start to its end, in a group of its own."""

from __future__ import annotations

import os
import socket

import pytest
from fastapi import APIRouter, FastAPI

from shared.app import create_app
from tests.unit.metrics.gateway import Gateway, Pushed


async def pushed(app: FastAPI, gateway: Gateway) -> tuple[Pushed, Pushed]:
    """Return what is pushed at the start, and what has been when the app has ended."""
    async with app.router.lifespan_context(app):
        first = gateway.next()
        app.state.push_failures.inc()
    return first, gateway.received.get_nowait()


@pytest.fixture
def app(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    monkeypatch.setenv("PUSHGATEWAY_URL", gateway.url)
    for name in ("METRICS_PORT", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API"):
        monkeypatch.delenv(name, raising=False)
    return create_app("pictures", APIRouter())


async def test_last_counts_are_pushed_before_the_app_has_ended(app: FastAPI, gateway: Gateway) -> None:
    first, last = await pushed(app, gateway)
    assert "passepartout_push_failures_total 0.0" in first.lines
    assert "passepartout_push_failures_total 1.0" in last.lines


async def test_group_is_that_of_the_machine_and_the_process(app: FastAPI, gateway: Gateway) -> None:
    instance = f"{socket.gethostname()}-{os.getpid()}"
    assert {each.path for each in await pushed(app, gateway)} == {
        f"/metrics/job/pictures/instance/{instance}"
    }


async def test_group_is_that_of_the_log_stream_on_lambda(
    app: FastAPI, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_STREAM_NAME", "stream-1")
    assert {each.path for each in await pushed(app, gateway)} == {"/metrics/job/pictures/instance/stream-1"}
