"""The front door in the `asgi` way: the functions' apps in this very process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import cast

from fastapi import FastAPI
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.gateway.docs import create_docs
from infra.gateway.openapi import merged_document
from infra.gateway.routes import Route, read_routes


def load_app(function: str) -> FastAPI:
    return cast(FastAPI, import_module(f"functions.{function}.handler").app)


class FrontDoor:
    """Hands a request to the function whose route has its path; that one judges the method.

    Every other path is the documentation's.
    """

    def __init__(self, apps: Mapping[str, FastAPI], routes: Sequence[Route]) -> None:
        self._docs = create_docs(lambda: merged_document(apps, routes))
        self._paths = [(compile_path(route.path)[0], apps[route.function]) for route in routes]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        matching = (app for path, app in self._paths if path.match(scope["path"]))
        app: ASGIApp = next(matching, self._docs)
        await app(scope, receive, send)


@asynccontextmanager
async def open_front_door() -> AsyncIterator[FrontDoor]:
    """Give the front door of all routes of `template.yaml`, with every function's resources open."""
    routes = read_routes()
    apps = {name: load_app(name) for name in sorted({route.function for route in routes})}
    async with AsyncExitStack() as opened:
        for app in apps.values():
            await opened.enter_async_context(app.router.lifespan_context(app))
        yield FrontDoor(apps, routes)
