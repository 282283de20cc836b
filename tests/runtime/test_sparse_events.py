"""Events of requests that are next to nothing, and of what no client sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from shared.app import create_app
from shared.runtime import LambdaEntry
from tests.events.alb import TARGET_GROUP
from tests.events.api_gateway_v2 import http_event
from tests.runtime.shapes import router
from tests.runtime.transports import CONTEXT

LOAD_BALANCER = {
    "requestContext": {"elb": {"targetGroupArn": TARGET_GROUP}},
    "body": "",
    "isBase64Encoded": False,
}


@pytest.fixture(scope="module")
def entry() -> Iterator[LambdaEntry]:
    entry = LambdaEntry(create_app("shapes", router))
    yield entry
    entry.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"headers": {"user-agent": "ELB-HealthChecker/2.0"}, "queryStringParameters": {}},
        {
            "multiValueHeaders": {"user-agent": ["ELB-HealthChecker/2.0"]},
            "multiValueQueryStringParameters": {},
        },
    ],
)
def test_health_check_of_a_load_balancer(entry: LambdaEntry, headers: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html"""
    answer = entry({**LOAD_BALANCER, "httpMethod": "GET", "path": "/health", **headers}, CONTEXT)
    assert (answer["statusCode"], answer["body"]) == (200, '{"status":"ok"}')


def test_trial_in_the_console_of_a_rest_api(entry: LambdaEntry) -> None:
    """Where the form is left empty, there are no headers and no parameters, not even empty ones."""
    nothing = dict.fromkeys(
        ["headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "body"]
    )
    request = {"resource": "/caller", "path": "/caller", "httpMethod": "GET", "isBase64Encoded": False}
    identity = {"identity": {"sourceIp": "test-invoke-source-ip"}}
    answer = entry({**request, **nothing, "requestContext": identity}, CONTEXT)
    assert (answer["statusCode"], answer["body"]) == (200, '{"host":"test-invoke-source-ip","url":"/caller"}')


def test_header_of_characters_that_are_no_bytes(entry: LambdaEntry) -> None:
    answer = entry(http_event("GET", "/headers", headers={"X-Item": "☕"}), CONTEXT)
    assert (answer["statusCode"], answer["body"]) == (200, '["â\x98\x95"]')
