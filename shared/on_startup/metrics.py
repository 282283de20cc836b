"""Starts the push of metrics."""

import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import anyio.to_thread
from fastapi import FastAPI

from shared.config import MetricsSettings
from shared.metrics.push import MetricsPush


@asynccontextmanager
async def open_metrics(app: FastAPI) -> AsyncIterator[None]:
    """Push the app's registry until the end; nothing where no Pushgateway is configured.

    Puts a MetricsPush or None on `app.state`: on Lambda, the environment's extension calls it.
    """
    settings = MetricsSettings.from_environment()
    app.state.metrics_push = None
    if settings.pushgateway_url is None:
        yield
        return
    push = MetricsPush(app.state.registry, settings.pushgateway_url, app.state.function, _instance(settings))
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
