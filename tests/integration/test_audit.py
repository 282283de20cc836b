"""The audit trail: each act and each refusal leaves exactly its row, and no secret."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from fastapi import FastAPI

from functions.janitor.service import Janitor, OldAuditEvents
from infra.gateway.asgi import FrontDoor, load_app
from infra.gateway.routes import read_routes
from shared.concurrency import BoundedThreads
from shared.models.identity.audit_event import Event
from shared.on_startup.threads import threads
from shared.repositories import attempts
from shared.repositories.attempts import FREE_FAILURES, Attempts
from shared.repositories.unit_of_work import UnitOfWork
from shared.repositories.users import fold
from shared.security.refresh_tokens import RefreshToken
from tests.accounts import PASSWORD, SignedIn, is_alive, session_id, user_id
from tests.audit import Audited, audited

ADDRESS, AGENT = "203.0.113.7", "Auditor/1.0 (a test)"
NEW = "another horse, another staple"
WRONG = "not the password"
TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = 'identity'"


@dataclass
class Caller:
    """One with an address and a name of its own, who finds the rows that its last request left."""

    client: httpx.AsyncClient
    database_url: str
    request_id: str = ""

    async def send(self, method: str, path: str, body: Any = None, token: str = "") -> httpx.Response:
        self.request_id = str(uuid4())
        headers = {"X-Request-Id": self.request_id} | ({"Authorization": f"Bearer {token}"} if token else {})
        return await self.client.request(method, path, json=body, headers=headers)

    async def login(self, username: str, password: str = PASSWORD) -> httpx.Response:
        return await self.send("POST", "/auth/login", {"username": username, "password": password})

    async def refresh(self, refresh_token: str) -> httpx.Response:
        return await self.send("POST", "/auth/refresh", {"refresh_token": refresh_token})

    async def logout(self, refresh_token: str, everywhere: bool = False) -> httpx.Response:
        body = {"refresh_token": refresh_token, "everywhere": everywhere}
        return await self.send("POST", "/auth/logout", body)

    async def change(self, user: SignedIn, password: str = PASSWORD) -> httpx.Response:
        body = {"password": password, "new_password": NEW}
        return await self.send("POST", "/auth/password", body, user.access_token)

    async def rows(self) -> list[Audited]:
        return await audited(self.database_url, self.request_id)

    async def assert_row(
        self,
        event: str,
        outcome: str = "succeeded",
        *,
        user_id: UUID | None = None,
        account: bytes | None = None,
        session_id: UUID | None = None,
    ) -> None:
        row = Audited(event, outcome, "client", user_id, account, session_id, ADDRESS, AGENT)
        assert await self.rows() == [row]


@pytest.fixture
async def caller(client: httpx.AsyncClient, database_url: str) -> AsyncIterator[Caller]:
    routes = read_routes()
    apps = {route.function: load_app(route.function) for route in routes}
    transport = httpx.ASGITransport(FrontDoor(apps, routes), client=(ADDRESS, 4711))
    headers = {"User-Agent": AGENT, "X-Forwarded-For": "198.51.100.1", "Forwarded": "for=198.51.100.1"}
    async with httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as ours:
        yield Caller(ours, database_url)


@pytest.fixture
async def execute(database_url: str) -> AsyncIterator[Callable[..., Awaitable[list[Any]]]]:
    connection = await asyncpg.connect(database_url)
    yield connection.fetch
    await connection.close()


Execute = Callable[..., Awaitable[list[Any]]]


def owner(user: SignedIn) -> UUID:
    return UUID(user_id(user.access_token))


def session(user: SignedIn) -> UUID:
    return UUID(user.session_id)


async def test_registration_and_its_refusal_name_whose_account_it_is(caller: Caller) -> None:
    body = {"username": f"user-{uuid4()}", "password": PASSWORD}
    registered = await caller.send("POST", "/auth/register", body)
    whose = UUID(registered.json()["id"])
    await caller.assert_row("registration", user_id=whose)
    assert (await caller.send("POST", "/auth/register", body)).status_code == 409
    await caller.assert_row("registration", "username_taken", user_id=whose)


async def test_sign_in(caller: Caller, signed_in: SignedIn) -> None:
    answer = await caller.login(signed_in.username)
    started = UUID(session_id(answer.json()["access_token"]))
    await caller.assert_row("login", user_id=owner(signed_in), session_id=started)


async def test_wrong_password(caller: Caller, signed_in: SignedIn) -> None:
    assert (await caller.login(signed_in.username, WRONG)).status_code == 401
    await caller.assert_row("login", "wrong_password", user_id=owner(signed_in))


async def test_unknown_user_is_named_by_a_mac(caller: Caller, login_app: FastAPI) -> None:
    username = f"Nobody-{uuid4()}"
    assert (await caller.login(username, WRONG)).status_code == 401
    account = login_app.state.account_macs.of_sign_ins(fold(username))
    await caller.assert_row("login", "unknown_user", account=account)


@pytest.mark.parametrize("password", [PASSWORD, WRONG])
async def test_disabled_user_is_told_from_a_wrong_password(
    caller: Caller, signed_in: SignedIn, execute: Execute, password: str
) -> None:
    await execute("UPDATE identity.users SET disabled_at = now() WHERE username = $1", signed_in.username)
    assert (await caller.login(signed_in.username, password)).json()["code"] == "invalid_credentials"
    await caller.assert_row("login", "user_disabled", user_id=owner(signed_in))


@pytest.mark.parametrize("way", ["login", "password_change"])
async def test_block_is_told_once_however_many_are_refused(
    caller: Caller, signed_in: SignedIn, execute: Execute, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    monkeypatch.setattr(attempts, "FIRST_DELAY", timedelta(minutes=1))

    def guess() -> Awaitable[httpx.Response]:
        return caller.login(signed_in.username, WRONG) if way == "login" else caller.change(signed_in, WRONG)

    told = "SELECT FROM identity.audit_events WHERE user_id = $1 AND event = $2 AND outcome = $3"
    for blocks, free in ((1, FREE_FAILURES + 1), (2, 1)):
        assert {(await guess()).status_code for _ in range(free)} == {401}
        assert {answer.status_code for answer in await asyncio.gather(*(guess() for _ in range(10)))} == {429}
        rows = await execute(told, owner(signed_in), way, "too_many_attempts")
        assert len(rows) == blocks
        await execute("UPDATE identity.attempts SET blocked_until = now()")


async def test_block_of_an_unknown_name_is_told_by_its_mac(
    caller: Caller, login_app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attempts, "FIRST_DELAY", timedelta(minutes=1))
    username = f"nobody-{uuid4()}"
    for _ in range(FREE_FAILURES + 2):
        answer = await caller.login(username, WRONG)
    assert answer.status_code == 429
    account = login_app.state.account_macs.of_sign_ins(fold(username))
    await caller.assert_row("login", "too_many_attempts", account=account)


async def test_refresh_its_retry_its_reuse_and_what_comes_after(
    caller: Caller, signed_in: SignedIn, execute: Execute
) -> None:
    age = "UPDATE identity.sessions SET refreshed_at = refreshed_at - interval '11 s' WHERE id = $1"
    expected = [
        ("succeeded", 200),
        ("retried", 200),
        ("refresh_token_reused", 401),
        ("refresh_token_invalid", 401),
    ]
    for outcome, status in expected:
        if outcome == "refresh_token_reused":
            await execute(age, session(signed_in))
        assert (await caller.refresh(signed_in.refresh_token)).status_code == status
        await caller.assert_row("refresh", outcome, user_id=owner(signed_in), session_id=session(signed_in))


async def test_expired_refresh_token(caller: Caller, signed_in: SignedIn, execute: Execute) -> None:
    await execute("UPDATE identity.sessions SET expires_at = now() WHERE id = $1", session(signed_in))
    assert (await caller.refresh(signed_in.refresh_token)).json()["code"] == "refresh_token_expired"
    await caller.assert_row(
        "refresh", "refresh_token_expired", user_id=owner(signed_in), session_id=session(signed_in)
    )


async def test_refresh_token_of_a_session_that_is_gone(caller: Caller, login_app: FastAPI) -> None:
    gone = uuid4()
    token = login_app.state.token_issuer.refresh_tokens.encode(RefreshToken(gone, 0))
    assert (await caller.refresh(token)).json()["code"] == "refresh_token_invalid"
    await caller.assert_row("refresh", "refresh_token_invalid", session_id=gone)


async def test_refreshes_at_once_are_one_refresh_and_its_retries(caller: Caller, signed_in: SignedIn) -> None:
    headers, body = {"X-Request-Id": str(uuid4())}, {"refresh_token": signed_in.refresh_token}
    posts = (caller.client.post("/auth/refresh", json=body, headers=headers) for _ in range(20))
    assert {answer.status_code for answer in await asyncio.gather(*posts)} == {200}
    rows = await audited(caller.database_url, headers["X-Request-Id"])
    assert Counter(row.outcome for row in rows) == {"succeeded": 1, "retried": 19}


async def test_reuse_at_once_is_one_reuse_and_ends_the_session(
    caller: Caller, client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    newest = signed_in.refresh_token
    for _ in range(2):
        newest = (await caller.refresh(newest)).json()["refresh_token"]
    headers, body = {"X-Request-Id": str(uuid4())}, {"refresh_token": signed_in.refresh_token}
    posts = (caller.client.post("/auth/refresh", json=body, headers=headers) for _ in range(20))
    assert {answer.status_code for answer in await asyncio.gather(*posts)} == {401}
    rows = await audited(caller.database_url, headers["X-Request-Id"])
    assert Counter(row.outcome for row in rows) == {"refresh_token_reused": 1, "refresh_token_invalid": 19}
    assert not await is_alive(client, signed_in)


@pytest.mark.parametrize(("everywhere", "event"), [(False, "logout"), (True, "logout_everywhere")])
async def test_logout_is_one_row_and_a_second_one_ends_nothing(
    caller: Caller, signed_in: SignedIn, everywhere: bool, event: str
) -> None:
    await caller.login(signed_in.username)
    assert (await caller.logout(signed_in.refresh_token, everywhere)).status_code == 204
    await caller.assert_row(event, user_id=owner(signed_in), session_id=session(signed_in))
    assert (await caller.logout(signed_in.refresh_token, everywhere)).status_code == 204
    assert await caller.rows() == []


async def test_session_ended_by_its_id(caller: Caller, signed_in: SignedIn) -> None:
    other = session_id((await caller.login(signed_in.username)).json()["access_token"])
    path = f"/auth/sessions/{other}"
    assert (await caller.send("DELETE", path, token=signed_in.access_token)).status_code == 204
    await caller.assert_row("session_end", user_id=owner(signed_in), session_id=UUID(other))
    assert (await caller.send("DELETE", path, token=signed_in.access_token)).status_code == 404
    assert await caller.rows() == []


async def test_change_of_the_password_and_its_refusal(caller: Caller, signed_in: SignedIn) -> None:
    assert (await caller.change(signed_in, WRONG)).status_code == 401
    await caller.assert_row(
        "password_change", "wrong_password", user_id=owner(signed_in), session_id=session(signed_in)
    )
    assert (await caller.change(signed_in)).status_code == 204
    await caller.assert_row("password_change", user_id=owner(signed_in), session_id=session(signed_in))


async def test_what_is_no_attempt_leaves_nothing(
    caller: Caller, login_app: FastAPI, signed_in: SignedIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    full: BoundedThreads[Any] = BoundedThreads(threads=1, queue=-1)
    monkeypatch.setitem(login_app.dependency_overrides, threads, lambda: full)
    tampered = signed_in.refresh_token[:-4] + "AAAA"
    requests: list[tuple[int, str, dict[str, str], str]] = [
        (429, "/auth/login", {"username": signed_in.username, "password": PASSWORD}, ""),
        (422, "/auth/login", {"username": signed_in.username}, ""),
        (422, "/auth/register", {"username": "", "password": PASSWORD}, ""),
        (401, "/auth/refresh", {"refresh_token": "A" * 99}, ""),
        (401, "/auth/refresh", {"refresh_token": tampered}, ""),
        (204, "/auth/logout", {"refresh_token": tampered}, ""),
        (401, "/auth/password", {}, "no token"),
    ]
    for status, path, body, token in requests:
        assert (await caller.send("POST", path, body, token)).status_code == status
        assert await caller.rows() == []


async def test_database_has_no_secret_and_no_name_that_nobody_has(
    caller: Caller, execute: Execute, login_app: FastAPI
) -> None:
    username, typed = f"user-{uuid4()}", f"hunter2-{uuid4()}"
    secrets = [PASSWORD, NEW, WRONG, typed]
    await caller.send("POST", "/auth/register", {"username": username, "password": PASSWORD})
    for name, password in ((typed, WRONG), (username, WRONG), (username, PASSWORD)):
        answer = await caller.login(name, password)
    for _ in range(2):
        user = SignedIn(username, answer.json()["access_token"], answer.json()["refresh_token"])
        secrets += [user.access_token, user.refresh_token]
        answer = await caller.refresh(user.refresh_token)
    await caller.change(user)
    await caller.refresh(secrets[-3])
    await caller.logout(user.refresh_token)
    rows = [
        row["line"] for table in await execute(TABLES) for row in await dump(execute, table["table_name"])
    ]
    stored = "\n".join(rows)
    assert username in stored and AGENT in stored
    for secret in secrets:
        assert secret not in stored and secret.encode().hex() not in stored


async def dump(execute: Execute, table: str) -> list[Any]:
    """Return each row with all of its columns, bytes in hexadecimal."""
    return await execute(f'SELECT each::text AS line FROM identity."{table}" AS each')


async def test_act_that_is_taken_back_leaves_no_row(
    caller: Caller, signed_in: SignedIn, execute: Execute, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> None:
        raise LookupError("after the password and its row")

    monkeypatch.setattr(Attempts, "clear", fail)
    assert (await caller.change(signed_in)).status_code == 500
    assert await caller.rows() == []
    assert (await caller.login(signed_in.username)).status_code == 200
    assert await sessions_of(execute, signed_in) == 2


async def test_nothing_is_done_that_cannot_be_recorded(
    caller: Caller, signed_in: SignedIn, execute: Execute
) -> None:
    await execute("ALTER TABLE identity.audit_events ADD CONSTRAINT full_disk CHECK (false) NOT VALID")
    try:
        assert (await caller.login(signed_in.username)).status_code == 500
        assert (await caller.refresh(signed_in.refresh_token)).status_code == 500
        assert (await caller.change(signed_in)).status_code == 500
        assert (await caller.logout(signed_in.refresh_token)).status_code == 500
    finally:
        await execute("ALTER TABLE identity.audit_events DROP CONSTRAINT full_disk")
    assert await sessions_of(execute, signed_in) == 1
    assert (await caller.refresh(signed_in.refresh_token)).status_code == 200
    await caller.assert_row("refresh", user_id=owner(signed_in), session_id=session(signed_in))
    assert (await caller.login(signed_in.username)).status_code == 200


async def sessions_of(execute: Execute, user: SignedIn) -> int:
    live = "SELECT FROM identity.sessions WHERE user_id = $1 AND revoked_at IS NULL"
    return len(await execute(live, owner(user)))


async def test_trail_stays_when_the_account_is_gone(
    caller: Caller, signed_in: SignedIn, execute: Execute
) -> None:
    await caller.login(signed_in.username, WRONG)
    await execute("DELETE FROM identity.users WHERE username = $1", signed_in.username)
    await caller.assert_row("login", "wrong_password", user_id=owner(signed_in))


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (b"", None),
        (b"\x1b[2J\x07Agent\r\n\x00/1\x9b2J", "[2JAgent/12J"),
        ("Ägent".encode("latin-1"), "Ägent"),
        (b"a" * 60_000, "a" * 256),
    ],
)
async def test_user_agent_is_short_and_printable(
    caller: Caller, signed_in: SignedIn, given: bytes, kept: str | None
) -> None:
    caller.client.headers = httpx.Headers([(b"User-Agent", given)])
    await caller.login(signed_in.username, WRONG)
    [row] = await caller.rows()
    assert row.user_agent == kept


@pytest.mark.parametrize(
    ("host", "kept"),
    [("2001:db8::1", "2001:db8::1"), ("fe80::1%eth0", "fe80::1"), ("testclient", None), ("", None)],
)
async def test_address_is_one_or_none(
    caller: Caller, signed_in: SignedIn, host: str, kept: str | None
) -> None:
    transport = httpx.ASGITransport(load_app("login"), client=(host, 0))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as ours:
        caller.client = ours
        await caller.login(signed_in.username, WRONG)
    [row] = await caller.rows()
    assert row.address == kept


async def test_janitor_deletes_what_is_older_than_it_is_kept(begin: UnitOfWork, execute: Execute) -> None:
    days = {89: True, 91: False, 400: False}
    whose = {day: uuid4() for day in days}
    await execute("UPDATE identity.audit_events SET at = now()")
    for day, each in whose.items():
        async with begin() as repositories:
            await repositories.audit_trail.record(Event.LOGIN, user_id=each)
        age = "UPDATE identity.audit_events SET at = now() - $1::interval WHERE user_id = $2"
        await execute(age, timedelta(days=day), each)
    chore = OldAuditEvents(begin, timedelta(days=90))
    assert await Janitor([chore]).clean() == {"old_audit_events": 2}
    assert await Janitor([chore]).clean() == {"old_audit_events": 0}
    for day, is_kept in days.items():
        left = await execute("SELECT FROM identity.audit_events WHERE user_id = $1", whose[day])
        assert len(left) == is_kept
