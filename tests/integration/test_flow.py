import io

import httpx
from PIL import Image

from tests.accounts import PASSWORD


async def test_main_job(client: httpx.AsyncClient, photograph: bytes) -> None:
    credentials = {"username": "Grace", "password": PASSWORD}

    registered = await client.post("/auth/register", json=credentials)
    assert registered.status_code == 201
    assert registered.json() == {"id": registered.json()["id"], "username": "Grace"}

    signed_in = await client.post("/auth/login", json=credentials)
    assert signed_in.status_code == 200
    assert signed_in.headers["cache-control"] == "no-store"
    tokens = signed_in.json()
    assert (tokens["token_type"], tokens["expires_in"], tokens["refresh_expires_in"]) == (
        "Bearer",
        900,
        86400,
    )

    resized = await client.post(
        "/file/resize?width=200&format=png",
        content=photograph,
        headers={"Authorization": f"Bearer {tokens['access_token']}"},
    )
    assert resized.status_code == 200
    assert resized.headers["content-type"] == "image/png"
    picture = Image.open(io.BytesIO(resized.content))
    assert (picture.format, picture.size) == ("PNG", (200, 133))

    refreshed = await client.post("/auth/refresh", json={"refresh_token": tokens["refresh_token"]})
    assert refreshed.status_code == 200
    assert refreshed.json()["refresh_token"] != tokens["refresh_token"]
    assert refreshed.json()["access_token"] != tokens["access_token"]

    ended = await client.post("/auth/logout", json={"refresh_token": refreshed.json()["refresh_token"]})
    assert (ended.status_code, ended.content) == (204, b"")
    dead = await client.post("/auth/refresh", json={"refresh_token": refreshed.json()["refresh_token"]})
    assert (dead.status_code, dead.json()["code"]) == (401, "refresh_token_invalid")
