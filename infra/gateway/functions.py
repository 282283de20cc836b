"""The functions, read from `template.yaml`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from infra.gateway.routes import FUNCTION, TEMPLATE, folder_of, read_template

DEFAULT_TIMEOUT_SECONDS = 3
DEFAULT_MEMORY_MEGABYTES = 128
"""Of a function that names none (AWS::Serverless::Function)."""
SCHEDULES = ("Schedule", "ScheduleV2")


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    """The folder under `functions/`."""
    timeout: float = DEFAULT_TIMEOUT_SECONDS
    memory_megabytes: int = DEFAULT_MEMORY_MEGABYTES
    schedules: tuple[str, ...] = ()
    """As EventBridge writes them: `rate(5 minutes)`."""
    environments: int | None = None
    """On one machine, at most, where that is not as for all others."""
    module: str = ""
    """Where its handler is."""

    @property
    def handler(self) -> str:
        return f"{self.module or f'functions.{self.name}.handler'}.handler"

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:eu-west-1:123456789012:function:{self.name}"


def read_functions(template: Path = TEMPLATE) -> list[Function]:
    """Return every function that a route or a schedule calls, in the order of the template.

    One that Kafka calls has no such events: here it runs by itself, and asks Kafka.
    """
    document = read_template(template)
    common = document.get("Globals", {}).get("Function", {})
    return [
        _function(resource, common | resource["Properties"])
        for resource in document["Resources"].values()
        if resource["Type"] == FUNCTION and resource["Properties"].get("Events")
    ]


def _function(resource: dict[str, Any], properties: dict[str, Any]) -> Function:
    events = properties.get("Events", {}).values()
    schedules = [_expression(event["Properties"]) for event in events if event["Type"] in SCHEDULES]
    return Function(
        folder_of(resource),
        properties.get("Timeout", DEFAULT_TIMEOUT_SECONDS),
        properties.get("MemorySize", DEFAULT_MEMORY_MEGABYTES),
        tuple(schedules),
        resource["Metadata"].get("LocalEnvironments"),
    )


def _expression(properties: dict[str, Any]) -> str:
    expression: str = properties.get("ScheduleExpression") or properties["Schedule"]
    return expression
