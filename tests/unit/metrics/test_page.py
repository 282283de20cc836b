from __future__ import annotations

import socket

import httpx
import pytest
from fastapi import APIRouter

from infra.local.ports import free_port
from shared.app import create_app


async def test_metrics_have_a_page_where_a_port_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port(0)
    monkeypatch.setenv("METRICS_PORT", str(port))
    monkeypatch.delenv("PUSHGATEWAY_URL", raising=False)
    app = create_app("pictures", APIRouter())
    async with app.router.lifespan_context(app), httpx.AsyncClient() as client:
        page = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
    assert 'passepartout_http_requests_total{function="pictures",method="GET",route="/health"' in page
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
