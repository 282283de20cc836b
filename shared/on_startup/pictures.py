"""Reads what pictures are taken."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import FastAPI, Request

from shared.config import PictureSettings
from shared.images.limits import Limits


@asynccontextmanager
async def open_picture_limits(app: FastAPI) -> AsyncIterator[None]:
    """Put Limits on `app.state`, and how many seconds a picture may take."""
    settings = PictureSettings.from_environment()
    app.state.picture_limits = Limits(settings.max_source_bytes, settings.max_source_pixels)
    app.state.picture_seconds = settings.max_picture_seconds
    yield


async def picture_limits(request: Request) -> Limits:
    return cast(Limits, request.app.state.picture_limits)


async def picture_seconds(request: Request) -> int:
    return cast(int, request.app.state.picture_seconds)
