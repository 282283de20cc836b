"""Where a request comes from, told by what brought it, whatever the client has written into its headers."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from importlib import import_module
from uuid import uuid4

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import Receive, Scope, Send

from infra.local.ports import HOST, listen
from infra.local.server import served_in_thread
from shared.runtime import LambdaEntry
from tests.audit import audited
from tests.events.wire import CLIENT
from tests.runtime.transports import TRANSPORTS, make_request

FORGED = {"X-Forwarded-For": "198.51.100.1", "Forwarded": "for=198.51.100.1", "X-Real-Ip": "198.51.100.1"}


@pytest.fixture(scope="module")
def login(environment: pytest.MonkeyPatch) -> Iterator[LambdaEntry]:
    name = "functions.login.handler"
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(sys.modules, name, raising=False)
        entry: LambdaEntry = import_module(name).handler
    yield entry
    entry.close()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_audit_has_the_address_that_the_event_tells(
    login: LambdaEntry, database_url: str, transport: str
) -> None:
    request_id = str(uuid4())
    headers = {"Content-Type": "application/json", "User-Agent": "Agent/1.0", "X-Request-Id": request_id}
    body = b'{"username":"nobody-%s","password":"x"}' % request_id.encode()
    request = make_request("POST", "https://test/auth/login", headers | FORGED, body)
    assert TRANSPORTS[transport].send(login, request).status == 401
    [row] = asyncio.run(audited(database_url, request_id))
    assert (row.outcome, row.address, row.user_agent) == ("unknown_user", CLIENT, "Agent/1.0")


def test_server_believes_no_header_of_a_client_on_this_machine() -> None:
    async def tell(scope: Scope, receive: Receive, send: Send) -> None:
        client = Request(scope).client
        await PlainTextResponse(client.host if client else "")(scope, receive, send)

    with listen(0) as listener, served_in_thread(tell, listener):
        forged = {"X-Forwarded-For": "198.51.100.1"}
        answer = httpx.get(f"http://{HOST}:{listener.getsockname()[1]}/", headers=forged)
    assert answer.text == HOST
