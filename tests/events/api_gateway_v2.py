"""Events as HTTP APIs and function URLs send them (payload format 2.0), and how they read the answer.

https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html

- All header names are in lower case; a header that is repeated is one, its values joined by commas.
- `cookies` has each cookie of the request; in the answer, each becomes a Set-Cookie.
- `rawQueryString` is what the client sent; `queryStringParameters` is decoded, its values joined by commas.
- `rawPath` of an HTTP API is decoded, of a function URL as the client sent it, which no page says:
  https://github.com/honojs/hono/issues/2156, https://github.com/middleapi/standard-server/pull/93
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote
from uuid import uuid4

from tests.events.wire import (
    CLIENT,
    Answer,
    Headers,
    decoded_query,
    forwarded,
    grouped,
    is_text,
    lower_case,
    read_body,
    written_body,
)

API_DOMAIN = "abc.execute-api.eu-west-1.amazonaws.com"
FUNCTION_URL_DOMAIN = "abc.lambda-url.eu-west-1.on.aws"
ANSWER_MEMBERS = {"statusCode", "headers", "cookies", "body", "isBase64Encoded"}


def http_event(
    method: str, path: str, *, query: str = "", headers: Headers = (), body: bytes = b""
) -> dict[str, Any]:
    """Return the event of an HTTP API with a route of this method and path, in the stage `$default`."""
    route = f"{method} {unquote(path)}"
    return _event(method, unquote(path), query, headers, body, API_DOMAIN, route)


def function_url_event(
    method: str, path: str, *, query: str = "", headers: Headers = (), body: bytes = b""
) -> dict[str, Any]:
    return _event(method, path, query, headers, body, FUNCTION_URL_DOMAIN, "$default")


def _event(
    method: str, path: str, query: str, headers: Headers, body: bytes, domain: str, route: str
) -> dict[str, Any]:
    sent = lower_case(forwarded(headers, domain))
    several = grouped(sent)
    cookies = [cookie.strip() for line in several.pop("cookie", []) for cookie in line.split(";")]
    combined = {name: ",".join(values) for name, values in several.items()}
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route,
        "rawPath": path,
        "rawQueryString": query,
        "headers": combined,
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "abc",
            "domainName": domain,
            "domainPrefix": "abc",
            "http": {
                "method": method,
                "path": path,
                "protocol": "HTTP/1.1",
                "sourceIp": CLIENT,
                "userAgent": combined.get("user-agent", ""),
            },
            "requestId": str(uuid4()),
            "routeKey": route,
            "stage": "$default",
            "time": "24/Nov/2026:12:00:00 +0000",
            "timeEpoch": 1795521600000,
        },
        "isBase64Encoded": False,
    }
    if cookies:
        event["cookies"] = cookies
    if query:
        parameters = grouped(decoded_query(query))
        event["queryStringParameters"] = {name: ",".join(values) for name, values in parameters.items()}
    if body:
        event |= written_body(body, text=is_text(sent))
    return event


def read_http_answer(answer: dict[str, Any]) -> Answer:
    assert answer.keys() <= ANSWER_MEMBERS
    headers = lower_case(answer["headers"])
    assert "set-cookie" not in dict(headers)
    cookies = [("set-cookie", cookie) for cookie in answer.get("cookies", ())]
    return Answer(answer["statusCode"], headers + cookies, read_body(answer))
