"""Swagger UI over the routes of all functions."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

import anyio.to_thread
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.gateway.openapi import TITLE
from shared.app import answer_problem
from shared.middleware import RequestIdMiddleware

DOCUMENT_PATH = "/openapi.json"
ASSETS_PATH = "/docs/assets"
ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
"""From a package, not from a network that a laptop may not reach."""


def create_docs(document: Callable[[], dict[str, Any]]) -> Starlette:
    """Return an app that shows this OpenAPI document, at `/` and at `/docs`.

    The document is made when it is first asked for: that may load every function.
    """
    made = cache(document)
    page = get_swagger_ui_html(
        openapi_url=DOCUMENT_PATH,
        title=TITLE,
        swagger_js_url=f"{ASSETS_PATH}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS_PATH}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS_PATH}/favicon-32x32.png",
    )

    async def answer_page(_: Request) -> Response:
        return page

    async def answer_document(_: Request) -> Response:
        return JSONResponse(await anyio.to_thread.run_sync(made))

    return Starlette(
        routes=[
            Route("/", answer_page),
            Route("/docs", answer_page),
            Route(DOCUMENT_PATH, answer_document),
            Route(f"{ASSETS_PATH}/{{name}}", _answer_asset),
        ],
        middleware=[Middleware(RequestIdMiddleware)],
        exception_handlers={HTTPException: answer_problem},
    )


async def _answer_asset(request: Request) -> Response:
    name = request.path_params["name"]
    if name not in ASSETS:
        raise HTTPException(404)
    content = (files("fastapi_swagger") / "resources" / name).read_bytes()
    return Response(content, media_type=ASSETS[name], headers={"Cache-Control": "max-age=3600"})
