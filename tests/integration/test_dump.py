"""Who steals the database has stolen no password, and no token that is good for anything."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest

from tests.accounts import SignedIn, sign_in_again, user_id

COLUMNS = """
SELECT format('SELECT row_to_json(r)::jsonb AS row FROM %I.%I AS r', table_schema, table_name)
FROM information_schema.tables
WHERE table_schema NOT IN ('pg_catalog', 'information_schema') AND table_type = 'BASE TABLE'
"""
PASSWORDS = ("the first of two passwords", "the second of two passwords", "a wrong password for all")
MAC_BYTES = 32


async def dump(database_url: str) -> list[str]:
    """Return every row of every table as JSON."""
    connection = await asyncpg.connect(database_url)
    try:
        statements = [each[0] for each in await connection.fetch(COLUMNS)]
        assert len(statements) >= 4
        return [row["row"] for each in statements for row in await connection.fetch(each)]
    finally:
        await connection.close()


@dataclass
class Used:
    """All that a user has shown or been given."""

    user: SignedIn
    refresh_tokens: list[str] = field(default_factory=list)
    access_tokens: list[str] = field(default_factory=list)

    def take(self, answer: httpx.Response) -> None:
        assert answer.status_code == 200, answer.text
        self.refresh_tokens.append(answer.json()["refresh_token"])
        self.access_tokens.append(answer.json()["access_token"])

    @property
    def secrets(self) -> set[str]:
        raw = [decoded(token) for token in self.refresh_tokens]
        shapes = {shape for each in raw for shape in (each.hex(), each[-MAC_BYTES:].hex())}
        in_base64 = {base64.b64encode(each).decode() for each in raw}
        parts = {part for token in self.access_tokens for part in (token, token.rpartition(".")[2])}
        return shapes | in_base64 | parts | {*self.refresh_tokens, *PASSWORDS}


def decoded(token: str) -> bytes:
    return base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))


@pytest.fixture(scope="module")
async def used(client: httpx.AsyncClient) -> Used:
    first, second, wrong = PASSWORDS
    username = f"user-{uuid4()}"
    registered = await client.post("/auth/register", json={"username": username, "password": first})
    assert registered.status_code == 201
    used = Used(await sign_in_again(client, username, first))
    for password in (wrong, first):
        answer = await client.post("/auth/login", json={"username": username, "password": password})
    used.take(answer)
    for _ in range(2):
        used.take(await client.post("/auth/refresh", json={"refresh_token": used.refresh_tokens[-1]}))
    used.refresh_tokens.append(used.user.refresh_token)
    used.access_tokens.append(used.user.access_token)
    changed = await client.post(
        "/auth/password", json={"password": first, "new_password": second}, headers=used.user.authorization
    )
    assert changed.status_code == 204
    used.user = await sign_in_again(client, username, second)
    used.refresh_tokens.append(used.user.refresh_token)
    used.access_tokens.append(used.user.access_token)
    assert (
        await client.post("/auth/logout", json={"refresh_token": used.refresh_tokens[-2]})
    ).status_code == 204
    return used


async def test_nothing_secret_is_in_the_database(used: Used, database_url: str) -> None:
    dumped = "\n".join(await dump(database_url))
    assert used.user.username in dumped and "$argon2id$" in dumped
    assert [secret for secret in used.secrets if secret in dumped] == []


def values_of(row: Any) -> set[str]:
    """Return every value in it, and each name."""
    match row:
        case dict():
            return set(row) | {value for each in row.values() for value in values_of(each)}
        case list():
            return {value for each in row for value in values_of(each)}
    return {str(row)}


def made_of(value: str) -> set[str]:
    """Return what a thief would try: the value, and a token made of it where it is an id or bytes."""
    try:
        session = UUID(value).bytes
    except ValueError:
        raw = bytes.fromhex(value[2:]) if value.startswith("\\x") else b""
        return {value, base64.urlsafe_b64encode(raw).rstrip(b"=").decode()}
    forged = [session + bytes(8 + MAC_BYTES), session, session + bytes(8) + session * 2]
    return {value, *(base64.urlsafe_b64encode(each).rstrip(b"=").decode() for each in forged)}


async def test_no_value_in_the_database_is_a_token(
    client: httpx.AsyncClient, used: Used, database_url: str
) -> None:
    rows = [json.loads(row) for row in await dump(database_url)]
    own = [row for row in rows if user_id(used.user.access_token) in str(row)]
    assert len(own) >= 3
    tried = {shape for row in own for value in values_of(row) for shape in made_of(value)}
    assert used.user.session_id in tried
    for value in tried:
        refreshed = await client.post("/auth/refresh", json={"refresh_token": value})
        assert refreshed.status_code in (401, 422), value
        bearer = f"Bearer {value}".encode()
        for path in ("/auth/sessions", "/file/jobs"):
            answer = await client.get(path, headers=[(b"Authorization", bearer)])
            assert answer.status_code == 401, value
    # None of that has ended the session either.
    answer = await client.get("/auth/sessions", headers=used.user.authorization)
    assert answer.status_code == 200


async def test_hash_is_no_password(client: httpx.AsyncClient, used: Used, database_url: str) -> None:
    rows = [json.loads(row) for row in await dump(database_url)]
    [hashed] = [row["password_hash"] for row in rows if row.get("username") == used.user.username]
    answer = await client.post("/auth/login", json={"username": used.user.username, "password": hashed})
    assert answer.status_code == 401
