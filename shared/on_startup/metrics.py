"""Starts the push of metrics, and their page."""

import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import anyio.to_thread
from fastapi import FastAPI
from prometheus_client import CollectorRegistry, start_http_server

from shared.config import MetricsSettings
from shared.metrics.push import MetricsPush


@asynccontextmanager
async def open_metrics(app: FastAPI) -> AsyncIterator[None]:
    """Push the app's registry until the end, and serve it; each only where that is configured.

    Puts a MetricsPush or None on `app.state`: on Lambda, the environment's extension calls it.
    """
    settings = MetricsSettings.from_environment()
    with _served(settings.metrics_port, app.state.registry):
        async with _pushed(settings, app):
            yield


@contextmanager
def _served(port: int | None, registry: CollectorRegistry) -> Iterator[None]:
    if port is None:
        yield
        return
    server, thread = start_http_server(port, registry=registry)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@asynccontextmanager
async def _pushed(settings: MetricsSettings, app: FastAPI) -> AsyncIterator[None]:
    app.state.metrics_push = None
    if settings.pushgateway_url is None:
        yield
        return
    state = app.state
    push = MetricsPush(
        state.registry, state.push_failures, settings.pushgateway_url, state.function, _instance(settings)
    )
    app.state.metrics_push = push
    if not settings.pushed_by_extension:
        push.start()
    try:
        yield
    finally:
        await anyio.to_thread.run_sync(push.stop)


def _instance(settings: MetricsSettings) -> str:
    """Name this execution environment; on Lambda a log stream is one environment's."""
    return settings.aws_lambda_log_stream_name or f"{socket.gethostname()}-{os.getpid()}"
