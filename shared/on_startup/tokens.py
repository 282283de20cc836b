"""Reads the keys, and makes what issues tokens."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import FastAPI, Request

from shared.config import SigningSettings
from shared.on_startup.refresh_tokens import configured_refresh_tokens
from shared.security.access_tokens import AccessTokenIssuer, AccessTokenVerifier
from shared.security.keys import KeyRing, signing_key, verification_keys
from shared.security.tokens import TokenIssuer


@asynccontextmanager
async def open_token_issuer(app: FastAPI) -> AsyncIterator[None]:
    """Put a TokenIssuer on `app.state`, the keys that verify what it signs, and an AccessTokenVerifier."""
    settings = SigningSettings.from_environment()
    app.state.token_issuer = TokenIssuer(
        AccessTokenIssuer(signing_key(settings), settings.jwt_issuer, settings.jwt_audience),
        configured_refresh_tokens(),
    )
    keys = verification_keys(settings)
    app.state.verification_keys = keys
    app.state.token_verifier = AccessTokenVerifier(keys, settings.jwt_issuer, settings.jwt_audience)
    yield


async def token_issuer(request: Request) -> TokenIssuer:
    return cast(TokenIssuer, request.app.state.token_issuer)


async def verification_key_ring(request: Request) -> KeyRing:
    return cast(KeyRing, request.app.state.verification_keys)
