"""`python -m infra.accounts`, as an operator runs it, beside the functions on the same database."""

from __future__ import annotations

import asyncio
import io
import os
import pty
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID, uuid4

import httpx
import pytest

from infra.accounts.__main__ import main
from tests.accounts import PASSWORD, SignedIn, is_alive, sign_in, sign_in_again
from tests.integration.problems import assert_problem

ROOT = Path(__file__).parents[2]
PROGRAM = [sys.executable, "-m", "infra.accounts"]
OTHER = "hunter2, hunter2"
COMMON = "it is one of the most common passwords, which are the first to be guessed"


@dataclass(frozen=True)
class Ran:
    status: int
    printed: str
    error: str


async def run(*arguments: str, given: str | bytes = b"") -> Ran:
    """Run the command in this process: a tenth of the time of one of its own."""
    given = given.encode() if isinstance(given, str) else given

    def call() -> Ran:
        printed, error = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed), redirect_stderr(error):
            patch.setattr(sys, "argv", ["accounts", *arguments])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(given)))
            with pytest.raises(SystemExit) as ended:
                main()
        if isinstance(ended.value.code, str):
            return Ran(1, printed.getvalue(), f"{error.getvalue()}{ended.value.code}\n")
        return Ran(int(ended.value.code or 0), printed.getvalue(), error.getvalue())

    return _clean(await asyncio.to_thread(call))


async def run_program(*arguments: str, given: str = "", cwd: Path = ROOT) -> Ran:
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    printed, error = await process.communicate(given.encode())
    assert process.returncode is not None
    return _clean(Ran(process.returncode, printed.decode(), error.decode()))


def _clean(ran: Ran) -> Ran:
    assert "Traceback" not in ran.error and OTHER not in ran.printed + ran.error
    return ran


async def login(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> httpx.Response:
    body = {"username": username, "password": password}
    return await client.post("/auth/login", json=body, headers={"X-Request-Id": "the-same"})


async def refresh(client: httpx.AsyncClient, user: SignedIn) -> httpx.Response:
    return await client.post("/auth/refresh", json={"refresh_token": user.refresh_token})


async def test_added_user_signs_in(client: httpx.AsyncClient) -> None:
    username = f"user-{uuid4()}"
    ran = await run_program("add", username, given=f"{OTHER}\n")
    added, name, user_id = ran.printed.split()
    assert (ran.status, ran.error, added, name) == (0, "", "added", f"{username},")
    assert str(UUID(user_id)) == user_id
    assert (await login(client, username, OTHER)).status_code == 200
    again = await run("add", username.upper(), given=OTHER)
    assert again == Ran(1, "", f"accounts: the username is taken: {username.upper()}\n")


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("", "String should have at least 8 characters"),
        ("hunter2", "String should have at least 8 characters"),
        ("PassWord1", COMMON),
        ("12345678\n", COMMON),
        ("x" * 257, "String should have at most 256 characters"),
        (f"{OTHER}\n{OTHER}\n", "standard input has more than one line of it"),
        ("x" * 10_000, "standard input has more than one line of it"),
        (b"\xff" * 8, "standard input is not UTF-8"),
    ],
)
@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize("command", ["add", "password"])
async def test_password_that_is_none_is_one_line_without_it(
    command: str, given: str | bytes, fault: str
) -> None:
    ran = await run(command, f"user-{uuid4()}", given=given)
    assert ran == Ran(1, "", f"accounts: the password: {fault}\n")


async def test_password_is_asked_for_twice_and_not_shown(client: httpx.AsyncClient) -> None:
    username, (ours, theirs) = f"user-{uuid4()}", pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *PROGRAM, "add", username, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
    )
    os.close(theirs)
    shown = b""
    for prompt in (b"Password: ", b"Repeat for confirmation: "):
        while not shown.endswith(prompt):
            shown += await asyncio.to_thread(os.read, ours, 1000)
        os.write(ours, f"{OTHER}\n".encode())
    assert await process.wait() == 0
    shown += os.read(ours, 1000)
    os.close(ours)
    assert f"added {username}".encode() in shown and OTHER.encode() not in shown
    assert (await login(client, username, OTHER)).status_code == 200


async def test_disabled_user_looks_like_a_wrong_password_and_has_no_session(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    bystander = await sign_in(client)
    await sign_in_again(client, signed_in.username)
    ran = await run("disable", signed_in.username)
    assert ran == Ran(0, f"disabled {signed_in.username}, 2 sessions ended\n", "")
    disabled = await login(client, signed_in.username)
    wrong = await login(client, bystander.username, "not the password")
    assert_problem(disabled, 401, "invalid_credentials")
    assert (disabled.content, disabled.headers) == (wrong.content, wrong.headers)
    assert_problem(await refresh(client, signed_in), 401, "refresh_token_invalid")
    assert not await is_alive(client, signed_in)
    assert await is_alive(client, bystander)


async def test_user_enabled_again_signs_in_and_the_old_sessions_stay_ended(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    await run("disable", signed_in.username)
    assert await run("enable", signed_in.username) == Ran(0, f"enabled {signed_in.username}\n", "")
    assert (await login(client, signed_in.username)).status_code == 200
    assert not await is_alive(client, signed_in)


async def test_sessions_are_listed_and_one_or_all_are_ended(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    name = signed_in.username
    second, third = [await sign_in_again(client, name) for _ in range(2)]
    ids = [each.session_id for each in (third, second, signed_in)]
    listed = (await run("sessions", name)).printed.splitlines()
    assert [line.split()[0] for line in listed] == ids
    assert {len(line.split()) for line in listed} == {4}
    assert await run("revoke", name, ids[0]) == Ran(0, f"1 session of {name} ended\n", "")
    assert [await is_alive(client, each) for each in (third, second, signed_in)] == [False, True, True]
    refused = await run("revoke", name, ids[0])
    assert refused == Ran(1, "", f"accounts: {name} has no live session {ids[0]}\n")
    assert await run("revoke", name) == Ran(0, f"2 sessions of {name} ended\n", "")
    assert await run("sessions", name) == Ran(0, "", "")


async def test_session_of_another_user_is_not_ended(client: httpx.AsyncClient, signed_in: SignedIn) -> None:
    other = await sign_in(client)
    assert (await run("revoke", signed_in.username, other.session_id)).status == 1
    assert await is_alive(client, other)


async def test_password_is_set_and_all_sessions_end(client: httpx.AsyncClient, signed_in: SignedIn) -> None:
    ran = await run("password", signed_in.username, given=OTHER)
    assert ran == Ran(0, f"{signed_in.username} has another password, 1 session ended\n", "")
    assert_problem(await login(client, signed_in.username), 401, "invalid_credentials")
    assert (await login(client, signed_in.username, OTHER)).status_code == 200
    assert not await is_alive(client, signed_in)


@pytest.mark.parametrize("command", ["disable", "enable", "sessions", "revoke", "password", "audit"])
@pytest.mark.usefixtures("environment")
async def test_unknown_user_is_one_line(command: str) -> None:
    ran = await run(command, "nobody-at-all", given=OTHER)
    assert ran == Ran(1, "", "accounts: there is no user nobody-at-all\n")


@pytest.mark.parametrize(
    ("username", "fault"),
    [
        (" ada", "white space at its ends is not allowed"),
        ("a\u200bda", "the character U+200B is not allowed"),
        ("x" * 129, "String should have at most 128 characters"),
        ("\udcff", "Input should be a valid string, unable to parse raw data as a unicode string"),
    ],
)
async def test_name_that_nobody_can_have_is_one_line(username: str, fault: str) -> None:
    assert await run("sessions", username) == Ran(1, "", f"accounts: the username: {fault}\n")


UNREACHABLE = "accounts: the database cannot be reached, or is too busy: "


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("", "configuration: DATABASE_URL: is not set"),
        ("mysql://x:hunter2, hunter2@host/x", "configuration: DATABASE_URL: is no PostgreSQL URL"),
        ("postgresql://x:hunter2@127.0.0.1:1/x", f"{UNREACHABLE}[Errno 111] Connect call failed"),
    ],
)
async def test_database_that_cannot_be_reached_is_one_line(
    url: str, line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    ran = await run_program("sessions", "ada")
    assert (ran.status, ran.printed, len(ran.error.splitlines())) == (1, "", 1)
    assert ran.error.startswith(line) and "hunter2" not in ran.error


async def test_database_without_the_schema_is_one_line(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", os.environ["TEST_SERVER_URL"])
    ran = await run("sessions", "ada")
    refused = 'accounts: the database refused it: relation "identity.users" does not exist\n'
    assert ran == Ran(1, "", refused)


async def test_local_wants_make_run_to_run_here(tmp_path: Path) -> None:
    ran = await run_program("--local", "sessions", "ada", cwd=tmp_path)
    assert ran == Ran(1, "", "accounts: `make run` does not run in this folder\n")


@pytest.mark.parametrize(
    "arguments", [(), ("add",), ("remove", "ada"), ("add", "ada", "more"), ("revoke", "ada", "x")]
)
async def test_wrong_command_line_is_status_2(arguments: tuple[str, ...]) -> None:
    assert (await run(*arguments)).status == 2
