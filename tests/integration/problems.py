"""What every refusal has in common (RFC 9457)."""

from __future__ import annotations

from typing import Any

import httpx

MEMBERS = {"type", "title", "status", "detail", "code", "request_id"}


def assert_problem(answer: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """Assert that the answer is this refusal, whole and well-formed; return its document."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    document: dict[str, Any] = answer.json()
    assert (answer.status_code, document["code"]) == (status, code), document
    assert MEMBERS <= document.keys()
    assert document["status"] == status
    assert document["request_id"] == answer.headers["x-request-id"]
    assert "Traceback" not in answer.text
    return document
