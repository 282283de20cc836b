"""What is counted of accounts and pictures, in the registry that the function pushes."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from infra.gateway.asgi import load_app
from tests.accounts import PASSWORD, SignedIn
from tests.integration.uploads import Resizer

HASHES = "passepartout_password_hash_duration_seconds_count"
LOGINS = "passepartout_logins_total"
REFRESHES = "passepartout_refreshes_total"
STAGES = "passepartout_image_stage_duration_seconds_count"
BYTES = "passepartout_image_bytes_total"
PIXELS = "passepartout_image_pixels_total"


def counted(function: str, name: str, **labels: str) -> Callable[[], float]:
    """Return what tells how much has been added since now."""

    def value() -> float:
        return load_app(function).state.registry.get_sample_value(name, labels) or 0.0

    before = value()
    return lambda: value() - before


@pytest.mark.parametrize(
    ("password", "outcome"), [(PASSWORD, "succeeded"), ("not the password", "invalid_credentials")]
)
async def test_login(client: httpx.AsyncClient, signed_in: SignedIn, password: str, outcome: str) -> None:
    logins, hashes = counted("login", LOGINS, outcome=outcome), counted("login", HASHES)
    await client.post("/auth/login", json={"username": signed_in.username, "password": password})
    assert (logins(), hashes()) == (1, 1)


async def test_registration(client: httpx.AsyncClient) -> None:
    hashes = counted("register", HASHES)
    await client.post("/auth/register", json={"username": "measured", "password": PASSWORD})
    assert hashes() == 1


async def test_refresh(client: httpx.AsyncClient, signed_in: SignedIn) -> None:
    succeeded = counted("refresh", REFRESHES, outcome="succeeded")
    invalid = counted("refresh", REFRESHES, outcome="refresh_token_invalid")
    for token in (signed_in.refresh_token, "no token"):
        await client.post("/auth/refresh", json={"refresh_token": token})
    assert (succeeded(), invalid()) == (1, 1)


async def test_picture(resizer: Resizer, photograph: bytes) -> None:
    stages = {
        stage: counted("resize", STAGES, stage=stage, format="png")
        for stage in ("decode", "resize", "encode")
    }
    pixels, taken, given = (
        counted("resize", PIXELS),
        *(counted("resize", BYTES, direction=d) for d in ("in", "out")),
    )
    answer = await resizer.post("width=20&format=png", photograph)
    assert {stage: count() for stage, count in stages.items()} == dict.fromkeys(stages, 1)
    assert (taken(), given(), pixels()) == (len(photograph), len(answer.content), 640 * 427)


async def test_time_of_a_picture_is_the_wait_and_the_stages_together(
    resizer: Resizer, photograph: bytes
) -> None:
    answer = await resizer.post("width=20&format=png", photograph)
    parts = [part.split(";dur=") for part in answer.headers["server-timing"].split(", ")]
    *stages, (name, total) = [(name, float(milliseconds)) for name, milliseconds in parts]
    assert name == "total"
    assert sum(milliseconds for _, milliseconds in stages) == pytest.approx(total, abs=0.5)


@pytest.mark.parametrize("function", ["register", "login", "refresh", "logout", "resize", "janitor"])
def test_times_of_creation_are_no_series(function: str) -> None:
    names = {s.name for family in load_app(function).state.registry.collect() for s in family.samples}
    assert "passepartout_http_requests_total" in names
    assert not {name for name in names if name.endswith("_created")}
