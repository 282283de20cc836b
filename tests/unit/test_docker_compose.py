"""`docker-compose.yml`: each function as `template.yaml` describes it, and nothing without bounds."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from infra.gateway.routes import FUNCTION, folder_of, read_template
from tests.local.bundle import ROOT

SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
TEMPLATE = read_template()
COMMON = TEMPLATE["Globals"]["Function"]
FUNCTIONS: dict[str, dict[str, Any]] = {
    folder_of(resource): COMMON | resource["Properties"]
    for resource in TEMPLATE["Resources"].values()
    if resource["Type"] == FUNCTION
}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_function_has_the_memory_that_it_has_on_lambda(function: str) -> None:
    assert SERVICES[function]["mem_limit"] == f"{FUNCTIONS[function]['MemorySize']}m"


@pytest.mark.parametrize("service", SERVICES)
def test_no_container_has_all_memory_all_processes_or_more_rights_than_it_needs(service: str) -> None:
    described = SERVICES[service]
    assert described["mem_limit"] and described["pids_limit"] > 0
    assert described["cap_drop"] == ["ALL"]
    assert described["security_opt"] == ["no-new-privileges:true"]
    assert not described.get("cap_add") or service in ("postgres", "secrets")


def test_every_image_of_ours_is_built_by_one_service() -> None:
    """Of an image that several build, each has another, and is made anew when one of them is run."""
    ours = [each for each in SERVICES.values() if each["image"].startswith("passepartout-")]
    built = [each["image"] for each in ours if "build" in each]
    assert sorted(built) == sorted({each["image"] for each in ours})
