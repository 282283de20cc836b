"""One OpenAPI document over the routes of all functions, and Swagger UI to read it with."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.resources import files
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.responses import HTMLResponse, Response

from infra.gateway.routes import Route
from shared.responses import ProblemDocument

TITLE = "Passepartout"
DOCUMENT_PATH = "/openapi.json"
ASSETS_PATH = "/docs/assets"
ASSETS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "favicon-32x32.png": "image/png",
}
"""From a package, not from a network that a laptop may not reach."""


def merged_document(apps: dict[str, FastAPI], routes: Iterable[Route]) -> dict[str, Any]:
    """Return the document of every route of the front door, each as its function describes it."""
    paths: dict[str, Any] = {}
    components: dict[str, Any] = {"schemas": {"ProblemDocument": _problem_schema()}}
    for route in routes:
        document = apps[route.function].openapi()
        operation = document["paths"][route.path][route.method.lower()]
        paths.setdefault(route.path, {})[route.method.lower()] = operation
        for kind, named in document.get("components", {}).items():
            components.setdefault(kind, {}).update(named)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": "1"},
        "paths": paths,
        "components": components,
    }


def _problem_schema() -> dict[str, Any]:
    return ProblemDocument.model_json_schema()


def swagger_ui() -> HTMLResponse:
    return get_swagger_ui_html(
        openapi_url=DOCUMENT_PATH,
        title=TITLE,
        swagger_js_url=f"{ASSETS_PATH}/swagger-ui-bundle.js",
        swagger_css_url=f"{ASSETS_PATH}/swagger-ui.css",
        swagger_favicon_url=f"{ASSETS_PATH}/favicon-32x32.png",
    )


def asset(name: str) -> Response | None:
    """Return a file of Swagger UI, or None when there is none of this name."""
    if name not in ASSETS:
        return None
    content = (files("fastapi_swagger") / "resources" / name).read_bytes()
    return Response(content, media_type=ASSETS[name], headers={"Cache-Control": "max-age=3600"})
