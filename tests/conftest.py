"""What every test may ask for: a real PostgreSQL, the settings, and a client of the front door."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from infra.gateway.asgi import create_front_door, load_app
from infra.local.keys import local_keys
from infra.local.postgres import postgres
from infra.migrations import upgrade

SAMPLES = Path("infra/local/samples")
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def database_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgres(tmp_path_factory.mktemp("data") / "postgres") as url:
        upgrade(url)
        yield url


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return local_keys(tmp_path_factory.mktemp("keys") / "keys.json")


@pytest.fixture(scope="session")
def environment(database_url: str, keys: dict[str, str]) -> Iterator[pytest.MonkeyPatch]:
    """The settings of every function, for the whole run; a test that needs others sets them and starts anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DATABASE_URL", database_url)
        patch.setenv("JWT_PRIVATE_KEY", keys["JWT_PRIVATE_KEY"])
        patch.setenv("REFRESH_TOKEN_KEY", keys["REFRESH_TOKEN_KEY"])
        patch.delenv("PUSHGATEWAY_URL", raising=False)
        yield patch


@pytest.fixture(scope="session")
async def client(environment: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the front door, with all functions behind it and a real database behind them."""
    front_door = create_front_door()
    async with front_door.router.lifespan_context(front_door):
        transport = httpx.ASGITransport(front_door, raise_app_exceptions=True)
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            yield client


@pytest.fixture
def login_app(client: httpx.AsyncClient) -> FastAPI:
    """The login function's app, with its resources open."""
    return load_app("login")


@dataclass(frozen=True)
class SignedIn:
    username: str
    access_token: str
    refresh_token: str

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}


@pytest.fixture
async def signed_in(client: httpx.AsyncClient) -> SignedIn:
    """A new user, just signed in."""
    credentials = {"username": f"user-{uuid4()}", "password": PASSWORD}
    registered = await client.post("/auth/register", json=credentials)
    assert registered.status_code == 201
    answer = await client.post("/auth/login", json=credentials)
    assert answer.status_code == 200
    tokens = answer.json()
    return SignedIn(credentials["username"], tokens["access_token"], tokens["refresh_token"])


@pytest.fixture(scope="session")
def photograph() -> bytes:
    """A real JPEG of 640x427."""
    return (SAMPLES / "rocket.jpg").read_bytes()
