"""Containers, which ask the front door for their events; here each is played by hand."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from infra.gateway.health import fault
from infra.gateway.routes import Route
from infra.local.ports import free_port
from tests.runtime.front_door import QUIET, front_door, stub

RUNTIME = "/2018-06-01/runtime/invocation"


ADDRESSES = {"one.front-door": "127.0.0.2", "two.front-door": "127.0.0.1"}
"""As where each function has a network of its own."""


@pytest.fixture
async def by_hand(
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[tuple[httpx.AsyncClient, httpx.AsyncClient]]:
    """A caller, and a container of the function `two` that is played by hand."""
    resolve = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *rest, **more: resolve(ADDRESSES.get(host, host), *rest, **more)
    )
    port = free_port(0)
    options = replace(QUIET, processes=0, host="0.0.0.0", port=port)
    routes = [Route("two", "POST", "/do/{what}")]
    host = {"Host": f"two.front-door:{port}"}
    async with front_door(options, [stub("one"), stub("two")], routes) as caller:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers=host, timeout=30
        ) as container:
            yield caller, container


async def test_container_asks_by_the_name_of_its_function(
    by_hand: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    caller, container = by_hand
    answered = asyncio.create_task(caller.post("/do/anything"))
    event = await container.get(f"{RUNTIME}/next")
    identifier = event.headers["lambda-runtime-aws-request-id"]
    answer = {"statusCode": 200, "body": "by hand"}
    assert (await container.post(f"{RUNTIME}/{identifier}/response", json=answer)).status_code == 202
    assert (await answered).text == "by hand"
    assert (await container.post(f"{RUNTIME}/{identifier}/response", json=answer)).status_code == 400


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example"},
        {"Host": "three.front-door:9001"},
        {"Host": "one.front-door:9001"},
    ],
)
async def test_page_stranger_and_container_of_another_function_are_no_environments(
    by_hand: tuple[httpx.AsyncClient, httpx.AsyncClient], headers: dict[str, str]
) -> None:
    _, container = by_hand
    assert (await container.get(f"{RUNTIME}/next", headers=headers)).status_code == 404


async def test_process_of_another_user_is_turned_away(
    by_hand: tuple[httpx.AsyncClient, httpx.AsyncClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, container = by_hand
    monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)
    with pytest.raises(httpx.TransportError):
        await container.get(f"{RUNTIME}/next")


async def test_container_that_comes_back_at_its_address_is_given_events(
    by_hand: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    """The extension that it had registered before is forgotten: nobody waits for that one any more."""
    caller, container = by_hand
    for _ in range(2):
        name = {"Lambda-Extension-Name": "metrics"}
        registered = await container.post("/2020-01-01/extension/register", headers=name, json={})
        assert registered.headers["lambda-extension-identifier"]
    identifier = {"Lambda-Extension-Identifier": registered.headers["lambda-extension-identifier"]}
    heard = asyncio.create_task(container.get("/2020-01-01/extension/event/next", headers=identifier))
    answered = asyncio.create_task(caller.post("/do/anything"))
    event = await container.get(f"{RUNTIME}/next")
    request_id = event.headers["lambda-runtime-aws-request-id"]
    await container.post(f"{RUNTIME}/{request_id}/response", json={"statusCode": 204})
    assert (await answered).status_code == 204
    assert (await heard).json()["requestId"] == request_id


async def test_health_names_the_functions_of_which_no_container_asks(
    by_hand: tuple[httpx.AsyncClient, httpx.AsyncClient],
) -> None:
    _, container = by_hand
    port = container.base_url.port
    assert port and await asyncio.to_thread(fault, port) == "no container asks for events of one, two"
    asking = asyncio.create_task(container.get(f"{RUNTIME}/next"))
    while (told := await asyncio.to_thread(fault, port)) == "no container asks for events of one, two":
        pass
    assert told == "no container asks for events of one"
    asking.cancel()
    while await asyncio.to_thread(fault, port) == "no container asks for events of one":
        pass


async def test_health_of_a_front_door_that_is_not_there_is_one_line() -> None:
    assert (told := fault(free_port(0))) and told.startswith("the front door does not answer: ")
