"""Wrong passwords: each costs a longer wait, for an account that there is and for one that there is not."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any
from unittest.mock import MagicMock
from uuid import uuid4

import asyncpg
import httpx
import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import FastAPI

from functions.janitor.service import ForgottenAttempts, Janitor
from infra.gateway.asgi import load_app
from shared.concurrency import BoundedThreads
from shared.config import DatabaseSettings
from shared.db.session import Database
from shared.on_startup.database import create_engine
from shared.on_startup.threads import threads
from shared.repositories import attempts
from shared.repositories.attempts import FREE_FAILURES, MAXIMUM_DELAY
from shared.repositories.unit_of_work import unit_of_work
from shared.security import passwords
from tests.accounts import PASSWORD, SignedIn
from tests.attempts import forget_attempts
from tests.integration.problems import assert_problem

WRONG = "not the password"
NEW = "another horse, another staple"
WAITED = """
UPDATE identity.attempts SET blocked_until = blocked_until - $1::interval, last_at = last_at - $1::interval
"""
LAST_WAIT = "SELECT blocked_until - last_at AS wait FROM identity.attempts ORDER BY last_at DESC LIMIT 1"

Guess = Callable[[str], Awaitable[httpx.Response]]


async def execute(database_url: str, statement: str, *values: object) -> list[Any]:
    connection = await asyncpg.connect(database_url)
    try:
        rows: list[Any] = await connection.fetch(statement, *values)
    finally:
        await connection.close()
    return rows


async def login(client: httpx.AsyncClient, username: str, password: str = WRONG) -> httpx.Response:
    body = {"username": username, "password": password}
    return await client.post("/auth/login", json=body, headers={"X-Request-Id": "the-same"})


@pytest.fixture(params=["sign-in", "password change"])
def guess(client: httpx.AsyncClient, signed_in: SignedIn, request: pytest.FixtureRequest) -> Guess:
    """Try a password for the user, in either of the two ways that there are."""

    async def change(password: str) -> httpx.Response:
        body = {"password": password, "new_password": NEW}
        return await client.post("/auth/password", json=body, headers=signed_in.authorization)

    return (
        change if request.param == "password change" else lambda each: login(client, signed_in.username, each)
    )


@pytest.fixture
def hasher(monkeypatch: pytest.MonkeyPatch) -> MagicMock:
    """Finds every password wrong, at no cost, and tells how many it was asked for."""
    hasher = MagicMock(spec=PasswordHasher)
    hasher.verify.side_effect = VerifyMismatchError
    monkeypatch.setattr(passwords, "_hasher", hasher)
    return hasher


async def block(guess: Guess) -> None:
    for _ in range(FREE_FAILURES + 1):
        assert_problem(await guess(WRONG), 401, "invalid_credentials")


def assert_blocked(answer: httpx.Response, at_most: int = 1) -> int:
    problem = assert_problem(answer, 429, "too_many_attempts")
    seconds = int(answer.headers["retry-after"])
    assert 1 <= seconds <= at_most and problem["detail"] == f"Try again in {seconds} s."
    return seconds


@pytest.mark.usefixtures("long_first_delay")
async def test_right_password_is_refused_while_blocked_and_taken_after_the_wait(
    guess: Guess, database_url: str
) -> None:
    await block(guess)
    seconds = assert_blocked(await guess(PASSWORD), 60)
    await execute(database_url, WAITED, timedelta(seconds=seconds))
    assert (await guess(PASSWORD)).status_code in (200, 204)


@pytest.fixture
def long_first_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    """A minute, which no test takes."""
    monkeypatch.setattr(attempts, "FIRST_DELAY", timedelta(minutes=1))


@pytest.mark.usefixtures("long_first_delay")
async def test_right_password_clears_the_count(client: httpx.AsyncClient, signed_in: SignedIn) -> None:
    for _ in range(3):
        for _ in range(FREE_FAILURES - 1):
            assert_problem(await login(client, signed_in.username), 401, "invalid_credentials")
        assert (await login(client, signed_in.username, PASSWORD)).status_code == 200


async def test_each_failure_doubles_the_wait_up_to_the_longest(
    guess: Guess, hasher: MagicMock, database_url: str
) -> None:
    await block(guess)
    waits = []
    for _ in range(12):
        [row] = await execute(database_url, LAST_WAIT)
        waits.append(round(row["wait"].total_seconds()))
        await execute(database_url, WAITED, MAXIMUM_DELAY)
        assert_problem(await guess(WRONG), 401, "invalid_credentials")
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


async def test_count_that_no_number_of_seconds_could_hold_still_has_the_longest_wait(
    guess: Guess, hasher: MagicMock, database_url: str
) -> None:
    await block(guess)
    await execute(database_url, WAITED, MAXIMUM_DELAY)
    await execute(database_url, "UPDATE identity.attempts SET failures = 2000000000")
    assert_problem(await guess(WRONG), 401, "invalid_credentials")
    assert assert_blocked(await guess(WRONG), 900) > 800


@pytest.mark.usefixtures("long_first_delay")
async def test_refused_attempt_makes_the_wait_no_longer(guess: Guess, database_url: str) -> None:
    await block(guess)
    for _ in range(3):
        assert_blocked(await guess(WRONG), 60)
    await execute(database_url, WAITED, timedelta(minutes=1))
    assert (await guess(PASSWORD)).status_code in (200, 204)


@pytest.mark.usefixtures("long_first_delay")
async def test_of_a_hundred_at_once_no_more_than_one_after_another_are_looked_at(
    guess: Guess, hasher: MagicMock
) -> None:
    answers = await asyncio.gather(*(guess(WRONG) for _ in range(100)))
    statuses = [answer.status_code for answer in answers]
    assert (statuses.count(401), statuses.count(429)) == (FREE_FAILURES + 1, 100 - FREE_FAILURES - 1)
    assert hasher.verify.call_count == FREE_FAILURES + 1
    for answer in answers:
        if answer.status_code == 429:
            assert_blocked(answer, 60)


@pytest.mark.usefixtures("long_first_delay")
async def test_unknown_user_is_blocked_as_a_known_one_is(
    client: httpx.AsyncClient, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    unknown = f"nobody-{uuid4()}"
    for _ in range(FREE_FAILURES + 2):
        answers = [await login(client, username) for username in (signed_in.username, unknown)]
        assert len({answer.status_code for answer in answers}) == 1
        assert answers[0].headers.keys() == answers[1].headers.keys()
        assert answers[0].json().keys() == answers[1].json().keys()
    for answer in answers:
        assert_blocked(answer, 60)


@pytest.mark.usefixtures("long_first_delay")
async def test_disabled_user_is_answered_as_a_wrong_password_is(
    client: httpx.AsyncClient, signed_in: SignedIn, database_url: str
) -> None:
    await execute(
        database_url, "UPDATE identity.users SET disabled_at = now() WHERE username = $1", signed_in.username
    )
    await block(lambda _: login(client, signed_in.username, PASSWORD))
    assert_blocked(await login(client, signed_in.username, PASSWORD), 60)


@pytest.mark.usefixtures("long_first_delay")
async def test_name_is_one_however_it_is_written(client: httpx.AsyncClient, signed_in: SignedIn) -> None:
    await block(lambda _: login(client, signed_in.username))
    assert_blocked(await login(client, signed_in.username.upper()), 60)


@pytest.mark.usefixtures("long_first_delay")
async def test_owner_with_a_session_can_change_the_password_and_refresh_while_sign_ins_are_blocked(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    await block(lambda _: login(client, signed_in.username))
    body = {"password": PASSWORD, "new_password": NEW}
    changed = await client.post("/auth/password", json=body, headers=signed_in.authorization)
    refreshed = await client.post("/auth/refresh", json={"refresh_token": signed_in.refresh_token})
    assert (changed.status_code, refreshed.status_code) == (204, 200)


async def test_table_tells_no_name_that_was_tried(client: httpx.AsyncClient, database_url: str) -> None:
    username = f"nobody-{uuid4()}"
    await login(client, username)
    [*rows] = await execute(database_url, "SELECT a::text FROM identity.attempts AS a")
    hexadecimal = username.encode().hex()
    assert rows and not any(username in row["a"] or hexadecimal in row["a"] for row in rows)


@pytest.mark.usefixtures("long_first_delay")
async def test_attempt_that_found_no_thread_is_none(
    guess: Guess, login_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    full: BoundedThreads[Any] = BoundedThreads(threads=1, queue=-1)
    with monkeypatch.context() as patch:
        patch.setitem(login_app.dependency_overrides, threads, lambda: full)
        for _ in range(FREE_FAILURES + 2):
            assert_problem(await guess(PASSWORD), 429, "too_busy")
    assert (await guess(PASSWORD)).status_code in (200, 204)


async def test_lockouts_are_counted(client: httpx.AsyncClient, hasher: MagicMock) -> None:
    def lockouts() -> float | None:
        value: float | None = load_app("login").state.registry.get_sample_value("passepartout_lockouts_total")
        return value

    username, before = f"nobody-{uuid4()}", lockouts()
    for _ in range(FREE_FAILURES):
        await login(client, username)
    assert before is not None and lockouts() == before
    await login(client, username)
    assert lockouts() == before + 1


async def test_password_of_smaller_parameters_is_hashed_anew_by_a_sign_in(
    client: httpx.AsyncClient, signed_in: SignedIn, database_url: str
) -> None:
    small = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(PASSWORD)
    where = "WHERE username = $1"
    await execute(
        database_url, f"UPDATE identity.users SET password_hash = $2 {where}", signed_in.username, small
    )
    for _ in range(2):
        assert (await login(client, signed_in.username, PASSWORD)).status_code == 200
    [row] = await execute(
        database_url, f"SELECT password_hash FROM identity.users {where}", signed_in.username
    )
    assert row["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize("password", ["12345678", "PassWord1", "\uff31wertyuiop", "trustno1"])
async def test_common_password_is_refused_with_the_reason(
    client: httpx.AsyncClient, signed_in: SignedIn, password: str
) -> None:
    new, changed = {"username": f"user-{uuid4()}", "password": password}, {
        "password": PASSWORD,
        "new_password": password,
    }
    for answer, name in (
        (await client.post("/auth/register", json=new), "password"),
        (await client.post("/auth/password", json=changed, headers=signed_in.authorization), "new_password"),
    ):
        [error] = assert_problem(answer, 422, "body_invalid")["errors"]
        assert (error["name"], "most common passwords" in error["detail"]) == (name, True)
        assert password not in answer.text


async def test_janitor_forgets_what_was_tried_a_day_ago(client: httpx.AsyncClient, database_url: str) -> None:
    await forget_attempts(database_url)
    await login(client, "tried a day ago")
    await execute(database_url, WAITED, timedelta(days=1, minutes=1))
    await login(client, "tried just now")
    engine = create_engine(DatabaseSettings.from_environment({"DATABASE_URL": database_url}))
    try:
        chore = ForgottenAttempts(await unit_of_work(Database(engine)))
        assert await Janitor([chore]).clean() == {"forgotten_attempts": 1}
        assert await Janitor([chore]).clean() == {"forgotten_attempts": 0}
    finally:
        await engine.dispose()
    [row] = await execute(database_url, "SELECT count(*) FROM identity.attempts")
    assert row["count"] == 1
