"""Reads what pictures are taken, and how large ones are answered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import FastAPI, Request

from shared.config import AnswerSettings, PictureSettings, SourceSettings
from shared.images.limits import Limits


@asynccontextmanager
async def open_source_limit(app: FastAPI) -> AsyncIterator[None]:
    """Put on `app.state` how many bytes a source may have."""
    app.state.source_bytes = SourceSettings.from_environment().max_source_bytes
    yield


@asynccontextmanager
async def open_picture_limits(app: FastAPI) -> AsyncIterator[None]:
    """Put Limits on `app.state`, how many seconds a picture may take, and its bytes as an answer."""
    settings = PictureSettings.from_environment()
    app.state.picture_limits = Limits(settings.max_source_bytes, settings.max_source_pixels)
    app.state.picture_seconds = settings.max_picture_seconds
    answers = AnswerSettings.from_environment()
    app.state.answer_bytes = answers.answer_bytes
    app.state.memory_megabytes = answers.aws_lambda_function_memory_size
    yield


async def source_bytes(request: Request) -> int:
    return cast(int, request.app.state.source_bytes)


async def picture_limits(request: Request) -> Limits:
    return cast(Limits, request.app.state.picture_limits)


async def picture_seconds(request: Request) -> int:
    return cast(int, request.app.state.picture_seconds)


async def answer_bytes(request: Request) -> int | None:
    """The most bytes that a picture is answered with; None for any number."""
    return cast(int | None, request.app.state.answer_bytes)


async def memory_megabytes(request: Request) -> int:
    """What the function is given, and so what it costs."""
    return cast(int, request.app.state.memory_megabytes)
