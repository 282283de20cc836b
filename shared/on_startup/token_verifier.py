"""Reads the public keys, and makes what verifies access tokens: apart, for a function that issues none."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import FastAPI, Request

from shared.config import TokenSettings
from shared.security.access_tokens import AccessTokenVerifier
from shared.security.keys import verification_keys


@asynccontextmanager
async def open_token_verifier(app: FastAPI) -> AsyncIterator[None]:
    """Put an AccessTokenVerifier on `app.state`."""
    settings = TokenSettings.from_environment()
    app.state.token_verifier = AccessTokenVerifier(
        verification_keys(settings), settings.jwt_issuer, settings.jwt_audience
    )
    yield


async def token_verifier(request: Request) -> AccessTokenVerifier:
    return cast(AccessTokenVerifier, request.app.state.token_verifier)
