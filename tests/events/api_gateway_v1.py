"""Events as REST APIs send them, and HTTP APIs in payload format 1.0, and how they read the answer.

https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-proxy-integrations.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html

- `headers` and `queryStringParameters` have one value a name, `multiValueHeaders` and
  `multiValueQueryStringParameters` all of them; where there are none, they are null. Parameters are decoded.
- `path` of a REST API is what the client sent, without the stage; of an HTTP API it is decoded, see
  `tests/events/api_gateway_v2.py`.
- A REST API's bodies are base64 if their type is one of its binary media types: `*/*` here, for pictures.
  https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-payload-encodings.html
- The answer's `headers` and `multiValueHeaders` are merged; a name that is in both has the latter's values.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from tests.events.api_gateway_v2 import API_DOMAIN
from tests.events.wire import (
    CLIENT,
    Answer,
    Headers,
    Pairs,
    decoded_query,
    forwarded,
    grouped,
    is_text,
    lower_case,
    read_body,
    written_body,
)

ANSWER_MEMBERS = {"statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"}


def rest_event(
    method: str, path: str, *, query: str = "", headers: Headers = (), body: bytes = b""
) -> dict[str, Any]:
    """Return the event of a REST API, in the stage `prod`; names of headers are spelled as the client did."""
    return _event(method, path, query, forwarded(headers, API_DOMAIN), body, text=False)


def http_1_0_event(
    method: str, path: str, *, query: str = "", headers: Headers = (), body: bytes = b""
) -> dict[str, Any]:
    """Return the event of an HTTP API in payload format 1.0."""
    sent = lower_case(forwarded(headers, API_DOMAIN))
    return {"version": "1.0", **_event(method, unquote(path), query, sent, body, text=is_text(sent))}


def _event(method: str, path: str, query: str, headers: Pairs, body: bytes, *, text: bool) -> dict[str, Any]:
    parameters = decoded_query(query)
    return {
        "resource": "/{proxy+}",
        "path": path,
        "httpMethod": method,
        "headers": dict(headers),
        "multiValueHeaders": grouped(headers),
        "queryStringParameters": dict(parameters) or None,
        "multiValueQueryStringParameters": grouped(parameters) or None,
        "pathParameters": {"proxy": path.removeprefix("/")},
        "stageVariables": None,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc",
            "domainName": API_DOMAIN,
            "domainPrefix": "abc",
            "extendedRequestId": "request-id",
            "httpMethod": method,
            "identity": {"sourceIp": CLIENT, "userAgent": None},
            "path": f"/prod{path}",
            "protocol": "HTTP/1.1",
            "requestId": str(uuid4()),
            "requestTime": "24/Nov/2026:12:00:00 +0000",
            "requestTimeEpoch": 1795521600000,
            "resourceId": "123456",
            "resourcePath": "/{proxy+}",
            "stage": "prod",
        },
        **(written_body(body, text=text) if body else {"body": None, "isBase64Encoded": False}),
    }


def read_rest_answer(answer: dict[str, Any]) -> Answer:
    assert answer.keys() <= ANSWER_MEMBERS
    several = {name.lower(): values for name, values in answer.get("multiValueHeaders", {}).items()}
    single = [(name, value) for name, value in lower_case(answer["headers"]) if name not in several]
    repeated = [(name, value) for name, values in several.items() for value in values]
    return Answer(answer["statusCode"], single + repeated, read_body(answer))
