"""`python -m infra.accounts audit`, and what the operators' own acts leave to be read there."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from tests.accounts import PASSWORD, SignedIn, sign_in, sign_in_again, user_id
from tests.integration.test_accounts import OTHER, Ran, run, run_program

WRONG = "not the password"
MINUTE = timedelta(minutes=1)

Execute = Callable[..., Awaitable[Any]]


@pytest.fixture
async def execute(database_url: str) -> AsyncIterator[Execute]:
    connection = await asyncpg.connect(database_url)
    yield connection.execute
    await connection.close()


async def audit_lines(*arguments: str) -> list[list[str]]:
    ran = await run("audit", *arguments)
    assert (ran.status, ran.error) == (0, "")
    lines = [line.split(" ", 8) for line in ran.printed.splitlines()]
    times = [datetime.fromisoformat(when) for when, *_ in lines]
    assert times == sorted(times, reverse=True)
    return lines


async def audit(username: str, *options: str) -> list[list[str]]:
    """Return what is shown but when and whose, a list a line."""
    lines = await audit_lines(username, *options)
    assert all(abs(datetime.now(UTC) - datetime.fromisoformat(line[0])) < 5 * MINUTE for line in lines)
    assert {line[3] for line in lines} <= {username}
    return [[*line[1:3], *line[4:]] for line in lines]


async def guess(client: httpx.AsyncClient, username: str) -> str:
    """Try a wrong password, and return the request id."""
    headers = {"X-Request-Id": str(uuid4())}
    await client.post("/auth/login", json={"username": username, "password": WRONG}, headers=headers)
    return headers["X-Request-Id"]


async def audit_of_all(request_id: str, *options: str) -> list[str]:
    """Return what is shown of the request but when."""
    [line] = [line for line in await audit_lines(*options) if line[7] == request_id]
    return line[1:]


async def test_acts_of_operators_have_no_address(client: httpx.AsyncClient) -> None:
    username = f"user-{uuid4()}"
    await run("add", username, given=PASSWORD)
    await run("add", username, given=PASSWORD)
    user = await sign_in_again(client, username)
    assert (await run("revoke", username, user.session_id)).status == 0
    assert (await run("revoke", username, user.session_id)).status == 1
    for command in ("revoke", "disable", "enable", "password"):
        assert (await run(command, username, given=OTHER)).status == 0
    *acts, signed_in, _ = await audit(username)
    assert signed_in[:4] == ["login", "succeeded", "client", user.session_id]
    assert [(event, session) for event, _, _, session, *_ in acts] == [
        ("password_change", "-"),
        ("user_enable", "-"),
        ("user_disable", "-"),
        ("logout_everywhere", "-"),
        ("session_end", user.session_id),
    ]
    assert {tuple(act[1:3] + act[4:]) for act in acts} == {("succeeded", "operator", "-", "-", "-")}


async def test_newest_are_shown_first_and_no_more_than_asked_for(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    body = {"username": signed_in.username, "password": WRONG}
    headers = {"X-Request-Id": str(uuid4()), "User-Agent": "Agent/1.0 (a test)"}
    await client.post("/auth/login", json=body, headers=headers)
    shown = await audit(signed_in.username)
    assert [event for event, *_ in shown] == ["login", "login", "registration"]
    refused = ["login", "wrong_password", "client", "-", "127.0.0.1", *headers.values()]
    assert shown[0] == refused
    assert await audit(signed_in.username, "--limit", "1") == [refused]


async def test_only_events_and_outcomes_asked_for_are_shown(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    username = signed_in.username
    await guess(client, username)
    await client.post("/auth/register", json={"username": username, "password": PASSWORD})

    async def shown(*options: str) -> list[tuple[str, str]]:
        return [(event, outcome) for event, outcome, *_ in await audit(username, *options)]

    wrong, signed, registered = (
        ("login", "wrong_password"),
        ("login", "succeeded"),
        ("registration", "succeeded"),
    )
    assert await shown("--event", "login") == [wrong, signed]
    assert await shown("--outcome", "succeeded") == [signed, registered]
    assert await shown("--event", "registration", "--outcome", "username_taken") == [
        ("registration", "username_taken")
    ]
    assert await shown("--event", "logout") == []


@pytest.mark.parametrize("limit", [1, 2, 3, 4])
async def test_pages_have_each_event_once_though_some_are_of_one_instant(
    client: httpx.AsyncClient, execute: Execute, limit: int
) -> None:
    user = await sign_in(client)
    for _ in range(4):
        await guess(client, user.username)
    instant = "UPDATE identity.audit_events SET at = now() WHERE user_id = $1 AND outcome = 'wrong_password'"
    await execute(instant, UUID(user_id(user.access_token)))
    every, pages = await audit_lines(user.username), []
    before = [user.username, "--limit", str(limit)]
    while page := await audit_lines(*before):
        pages += page
        before = [user.username, "--limit", str(limit), "--before", page[-1][0]]
    assert len(every) == 6
    assert sorted(pages) == sorted(every)


async def test_time_is_of_its_offset_and_else_utc(signed_in: SignedIn) -> None:
    [(signed, *_), (registered, *_)] = await audit_lines(signed_in.username)
    time = datetime.fromisoformat(signed)
    elsewhere = time.astimezone(timezone(timedelta(hours=-9, minutes=-30))).isoformat()
    bare = time.astimezone(UTC).replace(tzinfo=None).isoformat()
    for text in (signed, elsewhere, bare, bare.replace("T", " "), f"{bare}Z"):
        assert [when for when, *_ in await audit_lines(signed_in.username, "--before", text)] == [registered]


async def test_without_a_name_those_of_all_are_shown_by_name(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    request_id, other = await guess(client, signed_in.username), await sign_in(client)
    shown = await audit_of_all(request_id)
    assert shown[:4] == ["login", "wrong_password", signed_in.username, "client"]
    names = [line[3] for line in await audit_lines("--limit", "3", "--outcome", "succeeded")]
    assert names == [other.username, other.username, signed_in.username]


async def test_of_a_name_that_nobody_has_nothing_is_shown(client: httpx.AsyncClient) -> None:
    username = f"nobody-{uuid4()}"
    request_id = await guess(client, username)
    shown = await audit_of_all(request_id, "--outcome", "unknown_user")
    assert shown[:5] == ["login", "unknown_user", "-", "client", "-"]
    assert username not in (await run("audit")).printed
    assert await run("audit", username) == Ran(1, "", f"accounts: there is no user {username}\n")


async def test_name_with_spaces_is_shown_as_the_command_line_takes_it(client: httpx.AsyncClient) -> None:
    username = f"Ada O'Hara {uuid4()}"
    assert (await run("add", username, given=PASSWORD)).status == 0
    shown = (await run("audit", "--limit", "1")).printed
    assert shlex.split(shown)[3] == username


async def test_user_who_is_gone_is_shown_by_the_id(
    client: httpx.AsyncClient, execute: Execute, signed_in: SignedIn
) -> None:
    request_id, owner = await guess(client, signed_in.username), user_id(signed_in.access_token)
    await execute("DELETE FROM identity.sessions WHERE user_id = $1", UUID(owner))
    await execute("DELETE FROM identity.users WHERE id = $1", UUID(owner))
    assert (await audit_of_all(request_id))[:3] == ["login", "wrong_password", owner]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("--limit", value) for value in ("0", "10001", "all")),
        *(("--event", value) for value in ("sign_in", "")),
        ("--outcome", "failed"),
        *(("--before", value) for value in ("yesterday", "", "2026-13-01", "0001-01-01T00:00:00+14:00")),
    ],
)
async def test_option_that_is_none_is_a_wrong_command_line(option: str, value: str) -> None:
    ran = await run("audit", option, value)
    assert (ran.status, ran.printed) == (2, "")
    assert f"Invalid value for '{option}'" in ran.error


@pytest.mark.usefixtures("client")
async def test_a_name_that_the_terminal_has_no_letters_for_hides_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    username = f"Ω{uuid4().hex}"
    assert (await run("add", username, given=f"{OTHER}\n")).status == 0
    monkeypatch.setenv("PYTHONIOENCODING", "ascii")
    ran = await run_program("audit", username)
    assert (ran.status, ran.error) == (0, "")
    [line] = ran.printed.splitlines()
    assert line.split(" ")[3].strip("'") == username.replace("Ω", "\\u03a9")
