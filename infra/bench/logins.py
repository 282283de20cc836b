"""Sign-ins a second through the whole function, beside the password hash that each of them must pay for."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import httpx

from infra.bench.row import Row
from infra.gateway.asgi import load_app
from infra.local.keys import local_keys
from infra.local.postgres import postgres
from infra.migrations import upgrade
from shared.config import DatabaseSettings
from shared.db.session import Database
from shared.on_startup.database import create_engine
from shared.repositories.users import Users
from shared.security.passwords import hash_password, verify_password

PASSWORD = "correct horse battery staple"
LOGINS = 300
CONNECTIONS = 8
USERNAMES = [f"bench-{number}" for number in range(CONNECTIONS)]
"""A user signs in one time after another: of many at once some would be taken for guesses."""


def measure() -> Iterator[Row]:
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        keys = local_keys(folder / "keys.json")
        url = opened.enter_context(postgres(folder / "postgres"))
        upgrade(url)
        os.environ |= keys | {"DATABASE_URL": url, "LOG_LEVEL": "WARNING"}
        asyncio.run(_add_users())
        ours = asyncio.run(_logins())
    yield Row(f"login, {CONNECTIONS} at once", ours, _verifications(), "/s")


async def _add_users() -> None:
    engine = create_engine(DatabaseSettings.from_environment())
    async with Database(engine).transaction() as session:
        for username in USERNAMES:
            await Users(session).add(username, hash_password(PASSWORD))
    await engine.dispose()


async def _logins() -> float:
    app = load_app("login")

    async def log_in(client: httpx.AsyncClient, username: str, times: int = LOGINS // CONNECTIONS) -> None:
        body = {"username": username, "password": PASSWORD}
        for _ in range(times):
            (await client.post("/auth/login", json=body)).raise_for_status()

    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://bench") as client:
            await log_in(client, USERNAMES[0], times=1)
            started = time.perf_counter()
            await asyncio.gather(*(log_in(client, username) for username in USERNAMES))
            return LOGINS // CONNECTIONS * CONNECTIONS / (time.perf_counter() - started)


def _verifications() -> float:
    verify = partial(verify_password, PASSWORD, hash_password(PASSWORD))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        started = time.perf_counter()
        for done in [pool.submit(verify) for _ in range(LOGINS)]:
            assert done.result()
        return LOGINS / (time.perf_counter() - started)
