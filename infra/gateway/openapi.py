"""One OpenAPI document over the routes of all functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from copy import deepcopy
from typing import Any

from fastapi import FastAPI

from infra.gateway.routes import Route
from shared.responses import ProblemDocument

TITLE = "Passepartout"


def merged_document(apps: Mapping[str, FastAPI], routes: Iterable[Route]) -> dict[str, Any]:
    """Return the document of every route of the front door, each as its function describes it.

    HEAD is left out: it is GET without the content, and every GET has it (RFC 9110, 9.3.2).
    """
    paths: dict[str, Any] = {}
    components: dict[str, Any] = {"schemas": {"ProblemDocument": ProblemDocument.model_json_schema()}}
    for route in routes:
        if route.method == "HEAD":
            continue
        document = apps[route.function].openapi()
        method = route.method.lower()
        operation = deepcopy(document["paths"][route.path][method])
        paths.setdefault(route.path, {})[method] = operation
        for body in operation.get("requestBody", {}).get("content", {}).values():
            components["schemas"].update(body["schema"].pop("$defs", {}))
        for kind, named in document.get("components", {}).items():
            components.setdefault(kind, {}).update(named)
    return {
        "openapi": "3.1.0",
        "info": {"title": TITLE, "version": "1"},
        "paths": paths,
        "components": components,
    }
