"""Users for a test to be."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import uuid4

import httpx

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True)
class SignedIn:
    username: str
    access_token: str
    refresh_token: str

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.access_token}"}


async def sign_in(client: httpx.AsyncClient) -> SignedIn:
    """Make a new user and sign in."""
    credentials = {"username": f"user-{uuid4()}", "password": PASSWORD}
    registered = await client.post("/auth/register", json=credentials)
    assert registered.status_code == 201
    answer = await client.post("/auth/login", json=credentials)
    assert answer.status_code == 200
    tokens = answer.json()
    return SignedIn(credentials["username"], tokens["access_token"], tokens["refresh_token"])
