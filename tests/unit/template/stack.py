"""The stack of `template.yaml`, as its tests read it."""

from __future__ import annotations

from typing import Any

from infra.gateway.routes import FUNCTION, folder_of, read_routes, read_template

TEMPLATE = read_template()
PARAMETERS: dict[str, Any] = TEMPLATE["Parameters"]
RESOURCES: dict[str, Any] = TEMPLATE["Resources"]
GLOBALS: dict[str, Any] = TEMPLATE["Globals"]["Function"]
FUNCTIONS: dict[str, Any] = {
    folder_of(resource): resource["Properties"]
    for resource in RESOURCES.values()
    if resource["Type"] == FUNCTION
}
WITH_ROUTES = sorted({route.function for route in read_routes()})


def of_type(kind: str) -> dict[str, Any]:
    return {name: each["Properties"] for name, each in RESOURCES.items() if each["Type"] == kind}


def variables(function: str) -> dict[str, Any]:
    own = FUNCTIONS[function].get("Environment", {"Variables": {}})
    return {**GLOBALS["Environment"]["Variables"], **own["Variables"]}
