"""The routes, read from `template.yaml`, the only place where they are written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[2] / "template.yaml"
FUNCTION = "AWS::Serverless::Function"


@dataclass(frozen=True, slots=True)
class Route:
    function: str
    """The folder under `functions/`."""
    method: str
    path: str


class _TemplateLoader(yaml.SafeLoader):
    """Takes CloudFormation's short functions, such as `!Ref`, as `None`: no route depends on one."""


_TemplateLoader.add_multi_constructor("!", lambda loader, suffix, node: None)


def load_template(template: Path) -> dict[str, Any]:
    document: dict[str, Any] = yaml.load(template.read_text(), _TemplateLoader)
    return document


def read_routes(template: Path = TEMPLATE) -> list[Route]:
    """Return every HTTP API route of every function."""
    resources = load_template(template)["Resources"]
    return [
        Route(_folder(resource), event["Properties"]["Method"], event["Properties"]["Path"])
        for resource in resources.values()
        if resource["Type"] == FUNCTION
        for event in resource["Properties"].get("Events", {}).values()
        if event["Type"] == "HttpApi"
    ]


def _folder(function: dict[str, Any]) -> str:
    folder: str = function["Metadata"]["DockerBuildArgs"]["FUNCTION"]
    return folder
