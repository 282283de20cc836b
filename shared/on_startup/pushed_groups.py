"""Reads which groups of the Pushgateway are stale."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from shared.config import StaleGroupSettings
from shared.metrics.push import MetricsPush
from shared.metrics.pushed_groups import Group, PushedGroups


@asynccontextmanager
async def open_pushed_groups(app: FastAPI) -> AsyncIterator[None]:
    """Put PushedGroups on `app.state`, or None where no Pushgateway is configured."""
    settings = StaleGroupSettings.from_environment()
    push: MetricsPush | None = app.state.metrics_push
    app.state.pushed_groups = push and PushedGroups(
        push.url, Group(push.function, push.instance), settings.stale_group_seconds
    )
    yield
