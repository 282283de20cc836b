from unittest.mock import MagicMock

import httpx
import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from fastapi import FastAPI

from shared.security import passwords
from shared.security.access_tokens import AccessTokenVerifier
from tests.accounts import PASSWORD, SignedIn
from tests.integration.problems import assert_problem


async def test_tokens_are_answered_and_not_to_be_stored(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    credentials = {"username": signed_in.username, "password": PASSWORD}
    answer = await client.post("/auth/login", json=credentials)
    assert answer.json().keys() == {
        "access_token",
        "token_type",
        "expires_in",
        "refresh_token",
        "refresh_expires_in",
    }
    assert answer.headers["cache-control"] == "no-store"


async def test_oauth2_password_form_signs_in(client: httpx.AsyncClient, signed_in: SignedIn) -> None:
    form = {"grant_type": "password", "username": signed_in.username, "password": PASSWORD, "scope": ""}
    answer = await client.post("/auth/login", data=form)
    assert (answer.status_code, answer.json()["token_type"]) == (200, "Bearer")


async def test_name_is_matched_without_case(client: httpx.AsyncClient, signed_in: SignedIn) -> None:
    credentials = {"username": signed_in.username.upper(), "password": PASSWORD}
    assert (await client.post("/auth/login", json=credentials)).status_code == 200


async def attempt(client: httpx.AsyncClient, username: str) -> httpx.Response:
    body = {"username": username, "password": "not the password"}
    return await client.post("/auth/login", json=body, headers={"X-Request-Id": "the-same"})


async def test_unknown_user_and_wrong_password_look_the_same(
    client: httpx.AsyncClient, signed_in: SignedIn
) -> None:
    wrong = await attempt(client, signed_in.username)
    unknown = await attempt(client, "nobody-at-all")
    assert_problem(wrong, 401, "invalid_credentials")
    assert wrong.headers["www-authenticate"] == "Bearer"
    assert wrong.content == unknown.content
    assert wrong.headers == unknown.headers


async def test_unknown_user_costs_a_verification_too(
    client: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    hasher = MagicMock(spec=PasswordHasher)
    hasher.verify.side_effect = VerifyMismatchError
    monkeypatch.setattr(passwords, "_hasher", hasher)
    assert_problem(await attempt(client, "nobody-at-all"), 401, "invalid_credentials")
    hasher.verify.assert_called_once_with(passwords.DUMMY_HASH, b"not the password")


@pytest.mark.parametrize("hidden", ["\ufe0f", "\u3164", "\u2028", "\u2800"])
async def test_twins_of_a_user_and_of_nobody_look_the_same(
    client: httpx.AsyncClient, signed_in: SignedIn, hidden: str
) -> None:
    known = await attempt(client, signed_in.username + hidden)
    unknown = await attempt(client, "nobody-at-all" + hidden)
    assert_problem(known, 422, "body_invalid")
    assert (known.content, known.headers) == (unknown.content, unknown.headers)


@pytest.mark.parametrize(
    "content_type, body, status, code",
    [
        ("application/json", b"", 422, "body_invalid"),
        ("application/json", b"[]", 422, "body_invalid"),
        ("application/json", b'{"username": "ada"}', 422, "body_invalid"),
        ("application/x-www-form-urlencoded", b"username=ada", 422, "body_invalid"),
        ("application/x-www-form-urlencoded", b"username=%ff&password=x", 422, "body_invalid"),
        ("application/x-www-form-urlencoded", b"username=\xff", 422, "body_invalid"),
        ("application/x-www-form-urlencoded", b"username=a%00&password=x", 422, "body_invalid"),
        (
            "application/x-www-form-urlencoded",
            b"grant_type=client_credentials&username=a&password=x",
            422,
            "body_invalid",
        ),
        ("application/x-www-form-urlencoded", b"username=a&username=b&password=x", 422, "body_invalid"),
        ("text/plain", b"username=ada", 415, "media_type_unsupported"),
        ("multipart/form-data", b"--x--", 415, "media_type_unsupported"),
    ],
)
async def test_malformed_request_is_refused(
    client: httpx.AsyncClient, content_type: str, body: bytes, status: int, code: str
) -> None:
    answer = await client.post("/auth/login", content=body, headers={"Content-Type": content_type})
    assert_problem(answer, status, code)


async def test_jwks_verifies_what_login_signs(
    client: httpx.AsyncClient, signed_in: SignedIn, login_app: FastAPI
) -> None:
    answer = await client.get("/.well-known/jwks.json")
    assert answer.headers["cache-control"] == "public, max-age=600"
    [key] = answer.json()["keys"]
    assert key.keys() == {"kty", "crv", "x", "y", "kid", "alg", "use"}
    ring = login_app.state.verification_keys
    assert key["kid"] in ring.keys
    verifier = AccessTokenVerifier(ring, "passepartout", "passepartout")
    assert verifier.verify(signed_in.access_token).session_id.version == 4
