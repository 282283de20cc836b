"""A key takes another's place while tokens of both are about."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import import_module

import httpx
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key
from jose import jwt

from infra.local.keys import new_private_key
from tests.accounts import PASSWORD, SignedIn, sign_in_again
from tests.integration.problems import assert_problem

NEW, NEWER = "new-" * 8, "newer-" * 8


@asynccontextmanager
async def started(function: str, **settings: str) -> AsyncIterator[httpx.AsyncClient]:
    """Start the function anew with these settings, and give a client of it."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in settings.items():
            patch.setenv(name, value)
        name = f"functions.{function}.handler"
        patch.delitem(sys.modules, name, raising=False)
        app = import_module(name).app
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=True)
            async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
                yield client


async def refresh(client: httpx.AsyncClient, token: str) -> httpx.Response:
    return await client.post("/auth/refresh", json={"refresh_token": token})


async def resize(client: httpx.AsyncClient, user: SignedIn) -> int:
    answer = await client.post("/file/resize?width=1", content=b"x", headers=user.authorization)
    assert answer.status_code == 415 or answer.json()["code"] == "invalid_token"
    return answer.status_code


def public_half(pem: str) -> str:
    key = load_pem_private_key(pem.encode(), None).public_key()
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


async def test_refresh_token_of_an_old_key_gets_a_successor_of_the_new_one(
    client: httpx.AsyncClient, signed_in: SignedIn, keys: dict[str, str]
) -> None:
    old = keys["REFRESH_TOKEN_KEY"]
    async with started("refresh", REFRESH_TOKEN_KEY=NEW, REFRESH_TOKEN_OLD_KEYS=f"{NEWER} {old}") as rotated:
        answer = await refresh(rotated, signed_in.refresh_token)
        assert answer.status_code == 200
        successor = answer.json()["refresh_token"]
        assert_problem(await refresh(client, successor), 401, "refresh_token_invalid")
        assert (await refresh(rotated, successor)).status_code == 200


async def test_retry_after_the_change_of_keys_gets_the_same_successor_in_the_new_one(
    client: httpx.AsyncClient, signed_in: SignedIn, keys: dict[str, str]
) -> None:
    before = (await refresh(client, signed_in.refresh_token)).json()["refresh_token"]
    old = keys["REFRESH_TOKEN_KEY"]
    async with started("refresh", REFRESH_TOKEN_KEY=NEW, REFRESH_TOKEN_OLD_KEYS=old) as rotated:
        retried = [
            (await refresh(rotated, signed_in.refresh_token)).json()["refresh_token"] for _ in range(2)
        ]
        assert retried[0] == retried[1] != before
        assert [(await refresh(rotated, each)).status_code for each in (before, retried[0])] == [200, 200]


async def test_refresh_token_of_a_key_that_was_dropped_is_refused_and_harms_nothing(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    async with started("refresh", REFRESH_TOKEN_KEY=NEW, REFRESH_TOKEN_OLD_KEYS=NEWER) as rotated:
        assert_problem(await refresh(rotated, signed_in.refresh_token), 401, "refresh_token_invalid")
    assert (await refresh(client, signed_in.refresh_token)).status_code == 200


async def test_logout_takes_a_token_of_an_old_key(
    client: httpx.AsyncClient, signed_in: SignedIn, keys: dict[str, str]
) -> None:
    old = keys["REFRESH_TOKEN_KEY"]
    async with started("logout", REFRESH_TOKEN_KEY=NEW, REFRESH_TOKEN_OLD_KEYS=old) as rotated:
        body = {"refresh_token": signed_in.refresh_token}
        assert (await rotated.post("/auth/logout", json=body)).status_code == 204
    assert_problem(await refresh(client, signed_in.refresh_token), 401, "refresh_token_invalid")


async def test_one_key_signs_and_all_are_published_for_ten_minutes(
    signed_in: SignedIn, keys: dict[str, str]
) -> None:
    old, new, next_one = keys["JWT_PRIVATE_KEY"], new_private_key(), new_private_key()
    public = public_half(old) + public_half(next_one)
    async with started("login", JWT_PRIVATE_KEY=new, JWT_PUBLIC_KEYS=public) as login:
        answer = await login.get("/.well-known/jwks.json")
        assert answer.headers["cache-control"] == "public, max-age=600"
        published = {key["kid"]: key for key in answer.json()["keys"]}
        assert len(published) == 3
        users = [signed_in, *[await sign_in_again(login, signed_in.username, PASSWORD) for _ in range(2)]]
        kids = [jwt.get_unverified_header(user.access_token)["kid"] for user in users]
        assert kids[0] != kids[1] == kids[2]
        for kid, user in zip(kids, users, strict=True):
            jwt.decode(user.access_token, published[kid], algorithms=["ES256"], audience="passepartout")


async def test_access_tokens_of_both_keys_are_taken_until_the_old_one_is_dropped(
    signed_in: SignedIn, keys: dict[str, str]
) -> None:
    old, new = keys["JWT_PRIVATE_KEY"], new_private_key()
    public = public_half(new) + public_half(old)
    async with started("login", JWT_PRIVATE_KEY=new) as login:
        after = await sign_in_again(login, signed_in.username)
    async with started("resize", JWT_PRIVATE_KEY="", JWT_PUBLIC_KEYS=public) as both:
        assert [await resize(both, user) for user in (signed_in, after)] == [415, 415]
    async with started("resize", JWT_PRIVATE_KEY="", JWT_PUBLIC_KEYS=public_half(new)) as dropped:
        assert [await resize(dropped, user) for user in (signed_in, after)] == [401, 415]
    async with started("refresh", JWT_PRIVATE_KEY=new, JWT_PUBLIC_KEYS=public_half(old)) as refreshing:
        for user in (signed_in, after):
            answer = await refreshing.get("/auth/sessions", headers=user.authorization)
            assert answer.status_code == 200
