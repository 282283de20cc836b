"""Reads whether new users may register."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import FastAPI, Request

from shared.config import RegistrationSettings


@asynccontextmanager
async def open_registration(app: FastAPI) -> AsyncIterator[None]:
    """Put RegistrationSettings on `app.state`."""
    app.state.registration = RegistrationSettings.from_environment()
    yield


async def registration_is_open(request: Request) -> bool:
    settings = cast(RegistrationSettings, request.app.state.registration)
    return settings.registration == "open"
