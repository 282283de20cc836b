"""A client of all functions, with a real database behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fastapi import FastAPI

from infra.gateway.asgi import load_app, open_front_door
from shared.config import DatabaseSettings
from shared.db.session import Database
from shared.on_startup.database import create_engine
from shared.repositories.unit_of_work import UnitOfWork, unit_of_work
from tests.accounts import SignedIn, sign_in
from tests.integration.uploads import Resizer


@pytest.fixture(scope="session")
async def client(environment: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the front door, with all functions behind it."""
    async with open_front_door() as front_door:
        transport = httpx.ASGITransport(front_door, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


@pytest.fixture
def login_app(client: httpx.AsyncClient) -> FastAPI:
    """The login function's app, with its resources open."""
    return load_app("login")


@pytest.fixture
async def signed_in(client: httpx.AsyncClient) -> SignedIn:
    """A new user, just signed in."""
    return await sign_in(client)


@pytest.fixture(scope="session")
async def resizer(client: httpx.AsyncClient) -> Resizer:
    """For the whole run: a sign-in costs more than most pictures, and resizing looks up no user."""
    return Resizer(client, await sign_in(client))


@pytest.fixture(scope="session")
async def database(database_url: str) -> AsyncIterator[Database]:
    """The database itself, to look into and to change behind the functions' backs."""
    engine = create_engine(DatabaseSettings.from_environment({"DATABASE_URL": database_url}))
    yield Database(engine)
    await engine.dispose()


@pytest.fixture(scope="session")
async def begin(database: Database) -> UnitOfWork:
    return await unit_of_work(database)
