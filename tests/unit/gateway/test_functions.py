from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from infra.gateway.functions import read_functions
from infra.gateway.reload import FUNCTIONS, SHARED, changed_functions
from infra.gateway.schedules import interval_seconds

TEMPLATE = """
Globals:
  Function: {Timeout: 7}
Resources:
  Api: {Type: AWS::Serverless::HttpApi}
  Late:
    Type: AWS::Serverless::Function
    Metadata: {DockerBuildArgs: {FUNCTION: late}, LocalEnvironments: 5}
    Properties:
      MemorySize: 1769
      Events:
        Do: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: POST, Path: /do}}
        Often: {Type: ScheduleV2, Properties: {ScheduleExpression: rate(5 minutes)}}
  Early:
    Type: AWS::Serverless::Function
    Metadata: {DockerBuildArgs: {FUNCTION: early}}
    Properties:
      Timeout: 29
      Events: {Do: {Type: HttpApi, Properties: {ApiId: !Ref Api, Method: POST, Path: /early}}}
  CalledElsewhere:
    Type: AWS::Serverless::Function
    Metadata: {DockerBuildArgs: {FUNCTION: called_elsewhere}}
    Properties: {Timeout: 300}
"""


def test_functions_come_in_the_order_of_the_template_with_what_is_common(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(TEMPLATE)
    late, early = read_functions(template)
    assert (late.name, late.timeout, late.memory_megabytes) == ("late", 7, 1769)
    assert (early.name, early.timeout, early.memory_megabytes) == ("early", 29, 128)
    assert (late.environments, early.environments) == (5, None)
    assert (late.schedules, early.schedules) == (("rate(5 minutes)",), ())
    assert late.handler == "functions.late.handler.handler"


@pytest.mark.parametrize(
    ("expression", "seconds"),
    [("rate(1 minute)", 60), ("rate(5 minutes)", 300), ("rate(2 hours)", 7200), ("rate(1 day)", 86400)],
)
def test_rate_is_an_interval(expression: str, seconds: int) -> None:
    assert interval_seconds(expression) == seconds


def test_another_schedule_is_refused() -> None:
    with pytest.raises(ValueError, match=r"cron\(0 12 \* \* \? \*\)"):
        interval_seconds("cron(0 12 * * ? *)")


@pytest.mark.parametrize(
    ("paths", "changed"),
    [
        ([FUNCTIONS / "login" / "service.py"], {"login"}),
        ([FUNCTIONS / "login" / "service.py", FUNCTIONS / "resize" / "a" / "b.py"], {"login", "resize"}),
        ([FUNCTIONS / "nobody.py"], set()),
        ([FUNCTIONS / "login" / "service.py", SHARED / "app.py"], {"login", "resize"}),
    ],
)
def test_change_reloads_the_functions_that_load_it(paths: list[Path], changed: set[str]) -> None:
    assert changed_functions(paths, ["login", "resize"]) == changed


def test_containers_ask_by_the_name_of_their_function_in_a_network_of_its_own() -> None:
    compose = yaml.safe_load(Path("docker-compose.yml").read_text())
    services = compose["services"]
    for function in read_functions():
        name, network = function.name, f"runtime-{function.name}"
        asked = services[name]["environment"]["AWS_LAMBDA_RUNTIME_API"]
        assert asked == f"{name}.front-door:9001"
        assert services["front-door"]["networks"][network] == {"aliases": [f"{name}.front-door"]}
        there = {service for service, each in services.items() if network in each.get("networks", ())}
        assert there == {name, "front-door"}
        assert all(compose["networks"][each]["internal"] for each in services[name]["networks"])
