"""Users for a test to be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
from jose import jwt

from shared.config import SigningSettings
from shared.security.access_tokens import AccessTokenIssuer, Identity
from shared.security.keys import signing_key

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class SignedIn:
    username: str
    access_token: str
    refresh_token: str

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}

    @property
    def session_id(self) -> str:
        return session_id(self.access_token)


def access_token() -> str:
    """Return a token of a user whom only its issuer knows: verifying it takes no database."""
    settings = SigningSettings.from_environment()
    issuer = AccessTokenIssuer(signing_key(settings), settings.jwt_issuer, settings.jwt_audience)
    return issuer.issue(Identity(uuid4(), uuid4()))


def session_id(access_token: str) -> str:
    claims: dict[str, Any] = jwt.get_unverified_claims(access_token)
    found: str = claims["sid"]
    return found


def user_id(access_token: str) -> str:
    claims: dict[str, Any] = jwt.get_unverified_claims(access_token)
    found: str = claims["sub"]
    return found


async def sign_in(client: httpx.AsyncClient) -> SignedIn:
    """Make a new user and sign in."""
    username = f"user-{uuid4()}"
    registered = await client.post("/auth/register", json={"username": username, "password": PASSWORD})
    assert registered.status_code == 201
    return await sign_in_again(client, username)


async def sign_in_again(client: httpx.AsyncClient, username: str, password: str = PASSWORD) -> SignedIn:
    """Start another session of the user."""
    answer = await client.post("/auth/login", json={"username": username, "password": password})
    assert answer.status_code == 200, answer.text
    tokens = answer.json()
    return SignedIn(username, tokens["access_token"], tokens["refresh_token"])


async def is_alive(client: httpx.AsyncClient, user: SignedIn) -> bool:
    """Tell whether the session is live, without a refresh."""
    answer = await client.get("/auth/sessions", headers=user.authorization)
    assert answer.status_code in (200, 401)
    return answer.status_code == 200
