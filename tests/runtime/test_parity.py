"""One request, one answer: from an ASGI server, and by an event of every kind that Lambda has for HTTP."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack
from importlib import import_module
from types import ModuleType
from uuid import uuid4

import httpx
import orjson
import pytest
from argon2 import PasswordHasher
from fastapi import FastAPI
from starlette.routing import compile_path

from infra.gateway.routes import Route, read_routes
from shared.app import create_app
from shared.requests import JSON
from shared.runtime import LambdaEntry
from shared.security import passwords
from tests.accounts import PASSWORD, session_id, user_id
from tests.attempts import forget_attempts
from tests.events.wire import Answer
from tests.integration.storage import put
from tests.jobs import failed_job
from tests.runtime.requests import BASE_URL, CASES, PHOTO, SHAPES, UPLOAD, Account
from tests.runtime.shapes import router
from tests.runtime.transports import TRANSPORTS, comparable, send_by_asgi

CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
SUCCESS = range(200, 300)


class Bundle:
    """Every function twice: the app as a server runs it, and the entry as Lambda does."""

    def __init__(self, apps: dict[str, FastAPI], entries: dict[str, LambdaEntry]) -> None:
        self.entries = entries
        self._apps = apps

    def __enter__(self) -> Bundle:
        self._runner = asyncio.Runner()
        self._opened = AsyncExitStack()
        for app in self._apps.values():
            self._runner.run(self._opened.enter_async_context(app.router.lifespan_context(app)))
        return self

    def __exit__(self, *_: object) -> None:
        for entry in self.entries.values():
            entry.close()
        self._runner.run(self._opened.aclose())
        self._runner.close()

    def send(self, function: str, request: httpx.Request) -> Answer:
        """Send it as an ASGI server would."""
        return send_by_asgi(self._apps[function], request, self._runner)

    def post(self, function: str, path: str, body: dict[str, str]) -> dict[str, str]:
        answer = self.send(function, httpx.Request("POST", BASE_URL + path, json=body))
        assert answer.status in SUCCESS
        answered: dict[str, str] = orjson.loads(answer.body)
        return answered

    def upload(self, access_token: str) -> str:
        """Upload the photograph; return the name of the source."""
        headers = {"Authorization": f"Bearer {access_token}", "Content-Type": JSON}
        answer = self.send(
            "upload", httpx.Request("POST", f"{BASE_URL}/file/upload", headers=headers, content=UPLOAD)
        )
        return self._runner.run(put(orjson.loads(answer.body), PHOTO))


def load(function: str, patch: pytest.MonkeyPatch) -> ModuleType:
    name = f"functions.{function}.handler"
    patch.delitem(sys.modules, name, raising=False)
    return import_module(name)


@pytest.fixture(scope="module")
def bundle(environment: pytest.MonkeyPatch) -> Iterator[Bundle]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", CHEAP)
        functions = {route.function for route in read_routes()}
        apps = {name: load(name, patch).app for name in functions}
        entries = {name: load(name, patch).handler for name in functions}
        apps[SHAPES] = create_app(SHAPES, router)
        entries[SHAPES] = LambdaEntry(create_app(SHAPES, router))
        with Bundle(apps, entries) as bundle:
            yield bundle


@pytest.fixture(scope="module")
def account(bundle: Bundle, database_url: str) -> Account:
    credentials = {"username": f"user-{uuid4()}", "password": PASSWORD}
    bundle.post("register", "/auth/register", credentials)

    def sign_in() -> dict[str, str]:
        return bundle.post("login", "/auth/login", credentials)

    access_token = sign_in()["access_token"]
    return Account(
        credentials["username"],
        access_token,
        lambda: sign_in()["refresh_token"],
        lambda: session_id(sign_in()["access_token"]),
        bundle.upload(access_token),
        asyncio.run(failed_job(database_url, user_id(access_token))),
    )


@pytest.fixture
def _untried(database_url: str, name: str) -> None:
    """Each request is answered for what it is, not for the wrong passwords of those before."""
    if CASES[name].status == 401:
        asyncio.run(forget_attempts(database_url))


@pytest.mark.usefixtures("_untried")
@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("name", CASES)
def test_event_is_answered_as_a_server_does(
    bundle: Bundle, account: Account, name: str, transport: str
) -> None:
    case, event = CASES[name], TRANSPORTS[transport]
    by_server = bundle.send(case.function, event.left(case.request(account)))
    by_event = event.send(bundle.entries[case.function], case.request(account))
    assert comparable(by_event) == comparable(by_server)


@pytest.mark.usefixtures("_untried")
@pytest.mark.parametrize("name", CASES)
def test_request_is_what_its_name_says(bundle: Bundle, account: Account, name: str) -> None:
    case = CASES[name]
    assert bundle.send(case.function, case.request(account)).status == case.status


@pytest.mark.parametrize("route", read_routes(), ids=lambda route: f"{route.method} {route.path}")
def test_every_route_is_among_the_requests(route: Route) -> None:
    path = compile_path(route.path)[0]
    assert any(
        (case.function, case.method) == (route.function, route.method)
        and path.match(case.target.partition("?")[0])
        and case.status in SUCCESS
        for case in CASES.values()
    )
