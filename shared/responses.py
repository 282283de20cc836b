"""How answers are written: JSON by orjson, refusals as problem+json (RFC 9457), file names (RFC 6266)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import orjson
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from shared.errors import Problem
from shared.logging import request_id

PROBLEM_MEDIA_TYPE = "application/problem+json"
NO_STORE = {"Cache-Control": "no-store"}
"""For every answer that holds a token (RFC 6749, 5.1)."""


class OrjsonResponse(JSONResponse):
    def render(self, content: Any) -> bytes:
        return orjson.dumps(content)


class ProblemDocument(BaseModel):
    """A refusal: `code` is stable, `limit` and `actual` say what was exceeded and by what."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str | None
    limit: int | str | None = None
    actual: int | str | None = None
    errors: list[dict[str, Any]] | None = None


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    document = ProblemDocument(
        type=f"urn:passepartout:problem:{problem.code}",
        title=problem.title,
        status=problem.status,
        detail=problem.detail,
        code=problem.code,
        request_id=request_id.get(),
        limit=_sendable(problem.limit),
        actual=_sendable(problem.actual),
        errors=problem.errors,
    )
    sent = {**problem.headers, **(headers or {}), "Cache-Control": "no-store"}
    if problem.retry_after is not None:
        sent["Retry-After"] = str(problem.retry_after)
    body = orjson.dumps(document.model_dump(exclude_none=True))
    return Response(body, problem.status, sent, media_type=PROBLEM_MEDIA_TYPE)


def _sendable(value: int | str | None) -> int | str | None:
    """Return a number that JSON's readers, orjson among them, may not hold as its text."""
    return str(value) if isinstance(value, int) and abs(value) >= 2**63 else value


def problems(*refusals: type[Problem]) -> dict[int | str, dict[str, Any]]:
    """Document refusals in OpenAPI: one answer a status, with the codes that it can carry."""
    documented: dict[int | str, dict[str, Any]] = {}
    schema = {"$ref": "#/components/schemas/ProblemDocument"}
    for refusal in refusals:
        answer = documented.setdefault(
            refusal.status,
            {"description": "", "content": {PROBLEM_MEDIA_TYPE: {"schema": schema}}},
        )
        answer["description"] += f"{' · ' if answer['description'] else ''}`{refusal.code}`"
    return documented


def inline_filename(name: str) -> str:
    """Return a Content-Disposition that shows the picture, and saves it under this name.

    A name that is not plain ASCII is given twice, the second time as RFC 8187 has it.
    """
    plain = "".join(c if c.isascii() and c.isprintable() and c not in '"\\%' else "_" for c in name)
    disposition = f'inline; filename="{plain}"'
    return (
        disposition
        if plain == name
        else f"{disposition}; filename*=UTF-8''{quote(name, '', errors='replace')}"
    )
