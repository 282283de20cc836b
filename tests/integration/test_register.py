import asyncio
from uuid import UUID, uuid4

import httpx
import pytest
from sqlalchemy import text

from infra.gateway.asgi import load_app
from shared.on_startup.registration import registration_is_open
from tests.accounts import PASSWORD
from tests.integration.problems import assert_problem


async def register(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> httpx.Response:
    return await client.post("/auth/register", json={"username": username, "password": password})


async def test_answers_the_id_and_the_name_as_chosen(client: httpx.AsyncClient) -> None:
    answer = await register(client, "Ada Lovelace")
    assert answer.status_code == 201
    assert answer.json()["username"] == "Ada Lovelace"
    assert UUID(answer.json()["id"]).version == 4


@pytest.mark.parametrize("again", ["Zoë", "zoë", "ZOE\u0308", "\uff3aoë"])
async def test_name_is_taken_in_every_spelling(client: httpx.AsyncClient, again: str) -> None:
    await register(client, "Zoë")
    assert_problem(await register(client, again), 409, "username_taken")


@pytest.mark.parametrize("is_taken", [True, False])
@pytest.mark.parametrize("hidden", ["\ufe0f", "\u034f", "\u3164", "\u2028", "\u2800", "\U000e0100"])
async def test_twin_that_nobody_can_tell_from_a_name_is_refused(
    client: httpx.AsyncClient, hidden: str, is_taken: bool
) -> None:
    username = f"victim-{uuid4()}"
    if is_taken:
        await register(client, username)
    problem = assert_problem(await register(client, username + hidden), 422, "body_invalid")
    detail = f"the character U+{ord(hidden):04X} is not allowed"
    assert problem["errors"] == [{"in": "body", "name": "username", "detail": detail}]
    assert problem["detail"] == f"username: {detail}"


@pytest.mark.parametrize("username", ["\u3164", "\u2800", "...", "\u0301"])
async def test_name_in_which_nothing_can_be_read_is_refused(client: httpx.AsyncClient, username: str) -> None:
    problem = assert_problem(await register(client, username), 422, "body_invalid")
    assert [error["name"] for error in problem["errors"]] == ["username"]


async def test_name_as_it_was_answered_signs_in(client: httpx.AsyncClient) -> None:
    answer = await register(client, "Grete\u3000 Herman\uff4e \ufdfa")
    assert answer.json()["username"].startswith("Grete Hermann صلى")
    credentials = {"username": answer.json()["username"], "password": PASSWORD}
    assert (await client.post("/auth/login", json=credentials)).status_code == 200


async def test_ten_at_once_make_one_user(client: httpx.AsyncClient) -> None:
    username = f"race-{uuid4()}"
    answers = await asyncio.gather(*(register(client, username) for _ in range(10)))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 9


async def test_closed_registration_makes_no_user(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    overrides = load_app("register").dependency_overrides
    monkeypatch.setitem(overrides, registration_is_open, lambda: False)
    username = f"late-{uuid4()}"
    assert_problem(await register(client, username), 403, "registration_closed")
    signed_in = await client.post("/auth/login", json={"username": username, "password": PASSWORD})
    assert_problem(signed_in, 401, "invalid_credentials")


@pytest.mark.parametrize("password", ["x" * 8, "x" * 256, "pass\x00word", "  spaced  ", "пароль-密码-🔑"])
async def test_password_of_any_kind_signs_in(client: httpx.AsyncClient, password: str) -> None:
    credentials = {"username": f"user-{uuid4()}", "password": password}
    assert (await client.post("/auth/register", json=credentials)).status_code == 201
    assert (await client.post("/auth/login", json=credentials)).status_code == 200
    longer = credentials | {"password": password[:-1]}
    assert_problem(await client.post("/auth/login", json=longer), 401, "invalid_credentials")


@pytest.mark.parametrize(
    "username, password",
    [("", PASSWORD), ("x" * 129, PASSWORD), ("nul\x00", PASSWORD), (" ends ", PASSWORD), ("x", "short")],
)
async def test_what_cannot_be_stored_is_refused(
    client: httpx.AsyncClient, username: str, password: str
) -> None:
    assert_problem(await register(client, username, password), 422, "body_invalid")


async def test_name_as_chosen_and_the_hash_alone_are_stored(client: httpx.AsyncClient) -> None:
    username = f"Ada Lovelace {uuid4()}"
    await register(client, username)
    async with load_app("register").state.database.transaction() as session:
        statement = text("SELECT to_jsonb(u) FROM identity.users u WHERE username = :name")
        row = await session.scalar(statement, {"name": username})
    assert row["username"] == username
    assert PASSWORD not in str(row)
    assert row["password_hash"].startswith("$argon2id$v=19$m=19456,t=2,p=1$")
