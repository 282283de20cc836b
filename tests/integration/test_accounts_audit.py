"""`python -m infra.accounts audit`, and what the operators' own acts leave to be read there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import httpx
import pytest

from tests.accounts import PASSWORD, SignedIn, sign_in_again
from tests.integration.test_accounts import OTHER, run

MINUTE = timedelta(minutes=1)


async def audit(username: str, *options: str) -> list[list[str]]:
    """Return what is shown but when, a list a line."""
    ran = await run("audit", username, *options)
    assert (ran.status, ran.error) == (0, "")
    shown = [line.split(" ", 7) for line in ran.printed.splitlines()]
    times = [datetime.fromisoformat(when) for when, *_ in shown]
    assert times == sorted(times, reverse=True)
    assert all(abs(datetime.now(UTC) - time) < 5 * MINUTE for time in times)
    return [what for _, *what in shown]


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
    body = {"username": signed_in.username, "password": "not the password"}
    headers = {"X-Request-Id": str(uuid4()), "User-Agent": "Agent/1.0 (a test)"}
    await client.post("/auth/login", json=body, headers=headers)
    shown = await audit(signed_in.username)
    assert [event for event, *_ in shown] == ["login", "login", "registration"]
    refused = ["login", "wrong_password", "client", "-", "127.0.0.1", *headers.values()]
    assert shown[0] == refused
    assert await audit(signed_in.username, "--limit", "1") == [refused]


@pytest.mark.parametrize("limit", ["0", "10001", "all"])
async def test_limit_that_is_none_is_a_wrong_command_line(limit: str) -> None:
    assert (await run("audit", "ada", "--limit", limit)).status == 2
