"""Derives the key of AccountMacs."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

from fastapi import FastAPI, Request

from shared.config import RefreshTokenSettings
from shared.security.account_macs import AccountMacs


@asynccontextmanager
async def open_account_macs(app: FastAPI) -> AsyncIterator[None]:
    """Put AccountMacs on `app.state`."""
    key = RefreshTokenSettings.from_environment().refresh_token_key
    app.state.account_macs = AccountMacs.derive(key.get_secret_value().encode())
    yield


async def account_macs(request: Request) -> AccountMacs:
    return cast(AccountMacs, request.app.state.account_macs)
