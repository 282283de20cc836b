"""The front door in the `asgi` way: the functions' apps in this very process."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from importlib import import_module
from typing import cast

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route as Endpoint
from starlette.routing import compile_path
from starlette.types import ASGIApp, Receive, Scope, Send

from infra.gateway.openapi import ASSETS_PATH, DOCUMENT_PATH, asset, merged_document, swagger_ui
from infra.gateway.routes import Route, read_routes
from shared.errors import NotFound
from shared.responses import problem_response


def load_app(function: str) -> FastAPI:
    return cast(FastAPI, import_module(f"functions.{function}.handler").app)


def create_front_door(routes: list[Route] | None = None) -> Starlette:
    """Return the app of the front door; its lifespan is that of every function's."""
    routes = read_routes() if routes is None else routes
    apps = {name: load_app(name) for name in sorted({route.function for route in routes})}
    document = merged_document(apps, routes)

    async def answer_document(_: Request) -> Response:
        return JSONResponse(document)

    async def answer_docs(_: Request) -> Response:
        return swagger_ui()

    async def answer_asset(request: Request) -> Response:
        found = asset(request.path_params["name"])
        return found or _nothing_at(request)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as opened:
            for app in apps.values():
                await opened.enter_async_context(app.router.lifespan_context(app))
            yield

    front_door = Starlette(
        routes=[
            Endpoint("/", answer_docs),
            Endpoint("/docs", answer_docs),
            Endpoint(DOCUMENT_PATH, answer_document),
            Endpoint(f"{ASSETS_PATH}/{{name}}", answer_asset),
        ],
        exception_handlers={404: _answer_nothing},
        lifespan=lifespan,
    )
    front_door.router.default = _FunctionRoutes(apps, routes, front_door.router.default)
    return front_door


class _FunctionRoutes:
    """Hands a request to the function whose route has its path; that one judges the method."""

    def __init__(self, apps: dict[str, FastAPI], routes: list[Route], otherwise: ASGIApp) -> None:
        self.paths = [(compile_path(route.path)[0], apps[route.function]) for route in routes]
        self.otherwise = otherwise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        app = next((app for pattern, app in self.paths if pattern.match(scope["path"])), self.otherwise)
        await app(scope, receive, send)


async def _answer_nothing(request: Request, _: Exception) -> Response:
    return _nothing_at(request)


def _nothing_at(request: Request) -> Response:
    return problem_response(NotFound(f"No route matches {request.url.path!r}."))
