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
    """Spells CloudFormation's short functions out, `!Ref Api` as `{"Ref": "Api"}`."""


def _spell_out(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    value: Any = None
    match node:
        case yaml.ScalarNode():
            value = loader.construct_scalar(node)
        case yaml.SequenceNode():
            value = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
    return {name if name == "Ref" else f"Fn::{name}": value}


_TemplateLoader.add_multi_constructor("!", _spell_out)


def read_template(template: Path = TEMPLATE) -> dict[str, Any]:
    """Return the template's sections."""
    sections: dict[str, Any] = yaml.load(template.read_text(), _TemplateLoader)
    return sections


def read_routes(template: Path = TEMPLATE) -> list[Route]:
    """Return every HTTP API route of every function."""
    return [
        Route(folder_of(resource), event["Properties"]["Method"], event["Properties"]["Path"])
        for resource in read_template(template)["Resources"].values()
        if resource["Type"] == FUNCTION
        for event in resource["Properties"].get("Events", {}).values()
        if event["Type"] == "HttpApi"
    ]


def folder_of(function: dict[str, Any]) -> str:
    """Return the folder under `functions/` that the function's image is built from."""
    folder: str = function["Metadata"]["DockerBuildArgs"]["FUNCTION"]
    return folder
