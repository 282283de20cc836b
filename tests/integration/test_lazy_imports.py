"""What a picture has no need of is not loaded for it: boto3 takes longer than everything else together."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.accounts import access_token
from tests.conftest import PHOTOGRAPH

PROGRAM = """
import asyncio, sys
import httpx
from functions.resize.handler import app

async def run(token, photograph):
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://test", headers=headers) as client,
    ):
        later = {"content": photograph, "headers": {"Prefer": "respond-async"}}
        for request in ({"content": photograph}, {"json": {"source": "0" * 32}}, later):
            answer = await client.post("/file/resize?width=9", **request)
            loaded = sys.modules.keys() & {"boto3", "sqlalchemy", "aiokafka"}
            print(answer.status_code, *sorted(loaded), file=sys.stderr)

asyncio.run(run(sys.argv[1], open(sys.argv[2], "rb").read()))
"""


@pytest.mark.usefixtures("environment")
def test_storage_and_queue_are_loaded_for_what_is_stored_and_queued_and_for_nothing_else() -> None:
    command = [sys.executable, "-c", PROGRAM, access_token(), str(PHOTOGRAPH)]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ran.stderr.splitlines() == ["200", "404 boto3", "401 boto3 sqlalchemy"]
