"""HEAD as uvicorn sends it, by either of its parsers."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from fastapi import APIRouter
from starlette.types import ASGIApp

from shared.app import create_app


@asynccontextmanager
async def _served(app: ASGIApp, http: str) -> AsyncIterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        config = uvicorn.Config(app, http=http, lifespan="off", log_config=None)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve([listener]))
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        await serving


@pytest.mark.parametrize("http", ["h11", "httptools"])
async def test_head_is_get_without_the_content(http: str, caplog: pytest.LogCaptureFixture) -> None:
    async with _served(create_app("any", APIRouter()), http) as url, httpx.AsyncClient() as client:
        got, asked = await client.get(f"{url}/health"), await client.head(f"{url}/health")
    assert asked.status_code == 200
    assert asked.content == b""
    assert asked.headers["content-length"] == got.headers["content-length"] == "15"
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
