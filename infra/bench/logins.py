"""Sign-ins and refreshes through the whole functions, on a PostgreSQL of this machine."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from uuid import uuid4

from fastapi import FastAPI
from jose import jws

from infra.bench.asgi_client import Answer, post
from infra.bench.row import Row
from infra.gateway.asgi import load_app
from infra.local.keys import local_keys
from infra.local.postgres import postgres
from infra.migrations import upgrade
from shared.config import DatabaseSettings, SigningSettings, TokenSettings
from shared.db.session import Database
from shared.on_startup.database import create_engine
from shared.repositories.attempts import FREE_FAILURES
from shared.repositories.users import Users
from shared.security.access_tokens import AccessTokenIssuer, AccessTokenVerifier, Identity
from shared.security.keys import signing_key, verification_keys
from shared.security.passwords import hash_password, verify_password

PASSWORD = "correct horse battery staple"
LOGINS = 300
CONNECTIONS = 8
PAIRS = 200
REFRESHES = 1600
REFRESHES_ASKED = 400
VERIFICATIONS = 2000
USERNAMES = [f"bench-{number}" for number in range(PAIRS // FREE_FAILURES)]
"""As many as are needed for PAIRS of wrong passwords of which none costs a wait."""


def measure() -> Iterator[Row]:
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        keys = local_keys(folder / "keys.json")
        url = opened.enter_context(postgres(folder / "postgres"))
        upgrade(url)
        os.environ |= keys | {"DATABASE_URL": url, "LOG_LEVEL": "WARNING"}
        asyncio.run(_add_users())
        yield from asyncio.run(_measured())
        yield _verifications()


async def _add_users() -> None:
    engine = create_engine(DatabaseSettings.from_environment())
    password_hash = hash_password(PASSWORD)
    async with Database(engine).transaction() as session:
        for username in USERNAMES:
            await Users(session).add(username, password_hash)
    await engine.dispose()


async def _measured() -> list[Row]:
    login, refresh = load_app("login"), load_app("refresh")
    async with AsyncExitStack() as opened:
        for app in (login, refresh):
            await opened.enter_async_context(app.router.lifespan_context(app))
        return [await _logins(login), await _refreshes(login, refresh), await _guesses(login)]


async def _log_in(app: FastAPI, username: str, password: str = PASSWORD) -> Answer:
    return await post(app, "/auth/login", {"username": username, "password": password})


async def _logins(app: FastAPI) -> Row:
    async def several(username: str, times: int) -> None:
        for _ in range(times):
            assert (await _log_in(app, username)).status == 200

    each = LOGINS // CONNECTIONS
    await asyncio.gather(*(several(username, 1) for username in USERNAMES[:CONNECTIONS]))
    started = time.perf_counter()
    await asyncio.gather(*(several(username, each) for username in USERNAMES[:CONNECTIONS]))
    ours = each * CONNECTIONS / (time.perf_counter() - started)
    return Row(f"logins, {CONNECTIONS} at once; of argon2 alone on all cores", ours, _hashes(), "/s")


def _hashes() -> float:
    verify = partial(verify_password, PASSWORD, hash_password(PASSWORD))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        started = time.perf_counter()
        for done in [pool.submit(verify) for _ in range(LOGINS)]:
            assert done.result()
        return LOGINS / (time.perf_counter() - started)


async def _refreshes(login: FastAPI, refresh: FastAPI) -> Row:
    async def several(token: str, times: int) -> str:
        for _ in range(times):
            answer = await post(refresh, "/auth/refresh", {"refresh_token": token})
            assert answer.status == 200
            token = answer.body["refresh_token"]
        return token

    tokens = [(await _log_in(login, name)).body["refresh_token"] for name in USERNAMES[:CONNECTIONS]]
    tokens = await asyncio.gather(*(several(token, 2) for token in tokens))
    used = time.process_time()
    await asyncio.gather(*(several(token, REFRESHES // CONNECTIONS) for token in tokens))
    ours = REFRESHES / (time.process_time() - used)
    return Row("refreshes a second of a core's time; of what is asked", ours, REFRESHES_ASKED, "/s")


async def _guesses(app: FastAPI) -> Row:
    """Time a wrong password of a user, and of a name that nobody has, in turn."""
    known, unknown = [], []
    for username in USERNAMES:
        await _log_in(app, username)
        nobody = f"nobody-{uuid4().hex}"
        for _ in range(FREE_FAILURES):
            known.append(await _refusal_ms(app, username))
            unknown.append(await _refusal_ms(app, nobody))
    return Row(
        f"a wrong password; of an unknown user, medians of {PAIRS}", median(known), median(unknown), "ms"
    )


async def _refusal_ms(app: FastAPI, username: str) -> float:
    started = time.perf_counter()
    assert (await _log_in(app, username, "a wrong password")).status == 401
    return (time.perf_counter() - started) * 1000


def _verifications() -> Row:
    """Of an access token, beside python-jose's check of its signature alone."""
    settings = TokenSettings.from_environment()
    key = signing_key(SigningSettings.from_environment())
    issued = AccessTokenIssuer(key, settings.jwt_issuer, settings.jwt_audience)
    verifier = AccessTokenVerifier(verification_keys(settings), settings.jwt_issuer, settings.jwt_audience)
    token = issued.issue(Identity(uuid4(), uuid4()))
    usable = verifier.keys.keys[key.kid].usable
    ours = _a_second(partial(verifier.verify, token))
    signature = _a_second(partial(jws.verify, token, usable, [key.algorithm]))
    return Row("access tokens verified; of signatures alone", ours, signature, "/s")


def _a_second(call: Callable[[], object]) -> float:
    used = time.process_time()
    for _ in range(VERIFICATIONS):
        call()
    return VERIFICATIONS / (time.process_time() - used)
