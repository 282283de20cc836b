"""Reads the keys of refresh tokens: apart, for a function that has nothing to do with access tokens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import FastAPI, Request

from shared.config import RefreshTokenSettings
from shared.security.refresh_tokens import RefreshTokens


@asynccontextmanager
async def open_refresh_tokens(app: FastAPI) -> AsyncIterator[None]:
    """Put RefreshTokens on `app.state`, for a function that reads them and issues none."""
    app.state.refresh_tokens = configured_refresh_tokens()
    yield


def configured_refresh_tokens() -> RefreshTokens:
    settings = RefreshTokenSettings.from_environment()
    key = settings.refresh_token_key.get_secret_value().encode()
    return RefreshTokens(key, tuple(old.encode() for old in settings.old_keys))


async def refresh_tokens(request: Request) -> RefreshTokens:
    return cast(RefreshTokens, request.app.state.refresh_tokens)
