"""Requests and answers as they are on the wire, for what makes events of the ones and reads the others."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

CLIENT = "192.0.2.1"
"""The address of whoever sends the request."""
TRACE = "Root=1-5bdb40ca-556d8b0c50dc66f0511bf520"

Pairs = list[tuple[str, str]]
Headers = Mapping[str, str] | Iterable[tuple[str, str]]
"""A character is a byte (Latin-1); what AWS makes of those beyond ASCII, no page says."""

TEXT = re.compile(r"text/.*|application/(json|javascript|xml)")
"""What load balancers hand on as it is, and HTTP APIs too; all else is base64, forms as well.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
https://github.com/ministackorg/ministack/pull/766
"""


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Pairs
    body: bytes


def pairs(headers: Headers) -> Pairs:
    return list(headers.items() if isinstance(headers, Mapping) else headers)


def lower_case(headers: Headers) -> Pairs:
    return [(name.lower(), value) for name, value in pairs(headers)]


def forwarded(headers: Headers, domain: str) -> Pairs:
    """Return the headers with those that AWS adds: to an X-Forwarded-For it appends."""
    sent = pairs(headers)
    names = {name.lower() for name, _ in sent}
    addresses = [value for name, value in sent if name.lower() == "x-forwarded-for"] + [CLIENT]
    return [
        *([] if "host" in names else [("Host", domain)]),
        *((name, value) for name, value in sent if name.lower() != "x-forwarded-for"),
        ("X-Amzn-Trace-Id", TRACE),
        ("X-Forwarded-For", ", ".join(addresses)),
        ("X-Forwarded-Port", "443"),
        ("X-Forwarded-Proto", "https"),
    ]


def grouped(values: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for name, value in values:
        groups.setdefault(name, []).append(value)
    return groups


def decoded_query(query: str) -> Pairs:
    return parse_qsl(query, keep_blank_values=True)


def is_text(headers: Headers) -> bool:
    named = dict(lower_case(headers))
    media_type = named.get("content-type", "").partition(";")[0].strip()
    return bool(TEXT.fullmatch(media_type)) and "content-encoding" not in named


def written_body(body: bytes, *, text: bool) -> dict[str, Any]:
    """Return the members `body` and `isBase64Encoded` of an event that has a body."""
    written = body.decode(errors="replace") if text else base64.b64encode(body).decode()
    return {"body": written, "isBase64Encoded": not text}


def read_body(answer: dict[str, Any]) -> bytes:
    body: str = answer.get("body", "")
    return base64.b64decode(body, validate=True) if answer["isBase64Encoded"] else body.encode()
