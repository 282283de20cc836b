"""The main job, once and for real: a user signs in and resizes a photograph."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx

from infra.local.errors import LocalError

SAMPLE = Path(__file__).parent / "samples" / "rocket.jpg"
USERNAME = "demo"
WIDTH = 200
KEPT = "the user is there from an earlier run"
PNG_SIZE = slice(16, 24)
"""Width and height in the first chunk of a PNG, four bytes each (PNG, 11.2.2)."""


@dataclass(frozen=True, slots=True)
class Step:
    """One request of the job, its answer, and how long it took."""

    name: str
    answer: httpx.Response
    milliseconds: float
    remark: str = ""


async def main_job(base_url: str, password: str, result: Path) -> AsyncIterator[Step]:
    """Register, sign in, resize, refresh; store the picture as `result`. Raises LocalError when one fails."""
    credentials = {"username": USERNAME, "password": password}
    # It is on this machine: the caller's proxy would look for it on its own.
    async with httpx.AsyncClient(base_url=base_url, timeout=30, trust_env=False) as client:
        registered = await _post(client, "register", "/auth/register", json=credentials)
        _expect(registered, 201, 409)
        yield replace(registered, remark=KEPT) if registered.answer.status_code == 409 else registered
        signed_in = await _post(client, "login", "/auth/login", json=credentials)
        _expect(signed_in, 200)
        yield signed_in
        tokens = signed_in.answer.json()
        yield await _resize(client, tokens["access_token"], result)
        body = {"refresh_token": tokens["refresh_token"]}
        refreshed = await _post(client, "refresh", "/auth/refresh", json=body)
        _expect(refreshed, 200)
        yield refreshed


async def _resize(client: httpx.AsyncClient, access_token: str, result: Path) -> Step:
    source = SAMPLE.read_bytes()
    step = await _post(
        client,
        "resize",
        f"/file/resize?width={WIDTH}&format=png",
        content=source,
        headers={"Authorization": f"Bearer {access_token}"},
    )
    _expect(step, 200)
    picture = step.answer.content
    result.write_bytes(picture)
    width, height = picture[PNG_SIZE][:4], picture[PNG_SIZE][4:]
    size = f"{int.from_bytes(width)}x{int.from_bytes(height)}"
    remark = f"{SAMPLE.name} ({len(source):,} bytes) to {size} ({len(picture):,} bytes)"
    return Step(step.name, step.answer, step.milliseconds, remark)


async def _post(client: httpx.AsyncClient, name: str, path: str, **request: Any) -> Step:
    started = time.perf_counter()
    try:
        answer = await client.post(path, **request)
    except httpx.HTTPError as error:
        raise LocalError(f"{name} was not answered: {error!r}") from error
    return Step(name, answer, (time.perf_counter() - started) * 1000)


def _expect(step: Step, *statuses: int) -> None:
    if step.answer.status_code not in statuses:
        raise LocalError(f"{step.name} answered {step.answer.status_code}: {step.answer.text}")
