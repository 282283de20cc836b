"""What every test may ask for: a real PostgreSQL, the settings, and a client of the front door."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy.engine import make_url

from infra.gateway.asgi import create_front_door, load_app
from infra.local.data import exclusive
from infra.local.errors import LocalError
from infra.local.keys import local_keys
from infra.local.postgres import postgres
from infra.migrations import upgrade

DATA = Path(".local/test")
SERVER_URL = "TEST_SERVER_URL"
SAMPLES = Path("infra/local/samples")
PASSWORD = "correct horse battery staple"


def pytest_configure(config: pytest.Config) -> None:
    """Start one PostgreSQL for all workers; its data is kept, so that the next run need not make it anew."""
    if not hasattr(config, "workerinput"):
        DATA.parent.mkdir(exist_ok=True)
        server = ExitStack()
        try:
            data = server.enter_context(exclusive(DATA))
        except LocalError:
            # Another run has it: this one makes its own.
            data = Path(server.enter_context(TemporaryDirectory()))
        os.environ[SERVER_URL] = server.enter_context(postgres(data / "postgres"))
        config.add_cleanup(server.close)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Start with the slowest, so that no worker is left alone with them at the end."""
    items.sort(key=lambda item: "/local/" not in str(item.path))


@pytest.fixture(scope="session")
def database_url() -> str:
    """A new database, with the schema in it, for this worker alone."""
    name = f"test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    server = make_url(os.environ[SERVER_URL])

    async def make_database() -> None:
        connection = await asyncpg.connect(server.render_as_string(hide_password=False))
        await connection.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {name}")
        await connection.close()

    asyncio.run(make_database())
    url = server.set(database=name).render_as_string(hide_password=False)
    upgrade(url)
    return url


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    return local_keys(tmp_path_factory.mktemp("keys") / "keys.json")


@pytest.fixture(scope="session")
def environment(database_url: str, keys: dict[str, str]) -> Iterator[pytest.MonkeyPatch]:
    """The settings of every function, for the whole run."""
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
    async with front_door.lifespan(front_door):
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


async def sign_in(client: httpx.AsyncClient) -> SignedIn:
    """Make a new user and sign in."""
    credentials = {"username": f"user-{uuid4()}", "password": PASSWORD}
    registered = await client.post("/auth/register", json=credentials)
    assert registered.status_code == 201
    answer = await client.post("/auth/login", json=credentials)
    assert answer.status_code == 200
    tokens = answer.json()
    return SignedIn(credentials["username"], tokens["access_token"], tokens["refresh_token"])


@pytest.fixture
async def signed_in(client: httpx.AsyncClient) -> SignedIn:
    """A new user, just signed in."""
    return await sign_in(client)


@pytest.fixture(scope="session")
def photograph() -> bytes:
    """A real JPEG of 640x427."""
    return (SAMPLES / "rocket.jpg").read_bytes()
