"""Events as an Application Load Balancer sends them, and how it reads the answer.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html

- Header names are in lower case. Neither the path nor a parameter is decoded.
- By default there are `headers` and `queryStringParameters`, with the last value of each name.
- With multi-value headers enabled there are, with all of them, `multiValueHeaders` and
  `multiValueQueryStringParameters` instead. An answer has to have its headers in the same way.
- A body is as it came if its type is text, base64 otherwise, and if it has a Content-Encoding.
"""

from __future__ import annotations

from typing import Any

from tests.events.wire import (
    Answer,
    Headers,
    Pairs,
    forwarded,
    grouped,
    is_text,
    lower_case,
    read_body,
    written_body,
)

DOMAIN = "lambda-846800462-us-east-2.elb.amazonaws.com"
TARGET_GROUP = "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/passepartout/6d0ecf831eec9f09"
ANSWER_MEMBERS = {"statusCode", "statusDescription", "body", "isBase64Encoded"}


def alb_event(
    method: str, path: str, *, query: str = "", headers: Headers = (), body: bytes = b""
) -> dict[str, Any]:
    """Return the event with one value a name."""
    sent = lower_case(forwarded(headers, DOMAIN))
    return _event(method, path, sent, body) | {
        "headers": dict(sent),
        "queryStringParameters": dict(split_query(query)),
    }


def alb_multi_value_event(
    method: str, path: str, *, query: str = "", headers: Headers = (), body: bytes = b""
) -> dict[str, Any]:
    """Return the event with all values of a name."""
    sent = lower_case(forwarded(headers, DOMAIN))
    return _event(method, path, sent, body) | {
        "multiValueHeaders": grouped(sent),
        "multiValueQueryStringParameters": grouped(split_query(query)),
    }


def split_query(query: str) -> Pairs:
    """Return the parameters as the client wrote them."""
    parts = [part.partition("=") for part in query.split("&") if part]
    return [(name, value) for name, _, value in parts]


def _event(method: str, path: str, headers: Pairs, body: bytes) -> dict[str, Any]:
    return {
        "requestContext": {"elb": {"targetGroupArn": TARGET_GROUP}},
        "httpMethod": method,
        "path": path,
        **written_body(body, text=not body or is_text(headers)),
    }


def read_alb_answer(answer: dict[str, Any]) -> Answer:
    """Take two spellings of a name for two headers: no page says so, but Mangum sends cookies that way."""
    assert answer.keys() <= ANSWER_MEMBERS | {"headers"}
    return Answer(answer["statusCode"], lower_case(answer["headers"]), read_body(answer))


def read_alb_multi_value_answer(answer: dict[str, Any]) -> Answer:
    assert answer.keys() <= ANSWER_MEMBERS | {"multiValueHeaders"}
    several = answer["multiValueHeaders"].items()
    headers = [(name.lower(), value) for name, values in several for value in values]
    return Answer(answer["statusCode"], headers, read_body(answer))
