"""How requests are read: bounded before they are read, and judged before they are used."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from shared.errors import (
    BodyInvalid,
    BodyTooLarge,
    MediaTypeUnsupported,
    ParametersInvalid,
    Problem,
)

MAXIMUM_BODY_BYTES = 16 * 1024
"""For JSON and forms: the longest password and a token fit ten times over."""

MAXIMUM_DIGITS = 18
"""Of a length that is taken as a number; one that has more exceeds every limit all the same."""

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
BOUNDS = ("ge", "gt", "le", "lt", "min_length", "max_length")

Body = TypeVar("Body", bound=BaseModel)


def media_type(request: Request) -> str:
    """Return the content type without its parameters, in lower case; empty when there is none."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_body(
    request: Request,
    limit: int = MAXIMUM_BODY_BYTES,
    refusal: type[Problem] = BodyTooLarge,
    overhead: int = 0,
) -> bytes:
    """Return the body. Raises `refusal` as soon as it is known to be longer than `limit` bytes.

    `overhead` is what may come around the content that the limit is for. Of a body that does not declare its
    length, `actual` is what had been read by then.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and (length := int(declared[:MAXIMUM_DIGITS])) > limit + overhead:
        raise _too_large(refusal, limit, length)
    chunks, length = [], 0
    async for chunk in request.stream():
        chunks.append(chunk)
        length += len(chunk)
        if length > limit + overhead:
            raise _too_large(refusal, limit, length)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def _too_large(refusal: type[Problem], limit: int, actual: int) -> Problem:
    return refusal(f"At most {limit} bytes are taken.", limit=limit, actual=actual)


def parse_json(body: bytes) -> Any:
    """Return the JSON value; NaN, infinities, lone surrogates and deep nesting are no JSON here."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BodyInvalid(f"The body is not valid JSON: {error.msg}, at {error.pos}.") from None


class JsonRoute(APIRoute):
    """A route whose body is JSON, bounded, and parsed by orjson.

    The standard library's parser takes NaN and lone surrogates, which then fail far from here.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle

        async def handle_json(request: Request) -> Response:
            if media_type(request) != JSON:
                raise MediaTypeUnsupported(f"This route takes {JSON}.")
            body = await read_body(request)
            return await handle(_ParsedRequest(request, body, parse_json(body)))

        return handle_json


class _ParsedRequest(Request):
    def __init__(self, request: Request, body: bytes, value: Any) -> None:
        super().__init__(request.scope, request.receive)
        self._parsed = body, value

    async def body(self) -> bytes:
        return self._parsed[0]

    async def json(self) -> Any:
        return self._parsed[1]


async def read_json_or_form(request: Request, model: type[Body]) -> Body:
    """Return the body as `model`, from JSON or from a form (RFC 6749, appendix B)."""
    parse = {JSON: parse_json, FORM: _parse_form}.get(media_type(request))
    if parse is None:
        raise MediaTypeUnsupported(f"This route takes {JSON} or {FORM}.")
    value = parse(await read_body(request))
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise invalid([{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()])


def _parse_form(body: bytes) -> dict[str, str]:
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        raise BodyInvalid("The body is not a valid form.") from None
    fields = dict(pairs)
    if len(fields) < len(pairs):
        # RFC 6749, 3.2: which of two is meant must not depend on who reads them.
        raise BodyInvalid("A field of the form is given twice.")
    return fields


def invalid(faults: Any) -> Problem:
    """Turn pydantic's faults into one problem that locates each, and echoes no value of a body."""
    errors = [_located(fault) for fault in faults]
    detail = "; ".join(f"{error['name']}: {error['detail']}" for error in errors)
    if any(error["in"] == "body" for error in errors):
        return BodyInvalid(detail, errors=errors)
    limit, actual = _exceeded(faults[0]) if len(errors) == 1 else (None, None)
    return ParametersInvalid(detail, errors=errors, limit=limit, actual=actual)


def _located(fault: dict[str, Any]) -> dict[str, Any]:
    where, *names = fault["loc"]
    name = ".".join(str(part) for part in names) or str(where)
    return {"in": str(where), "name": name, "detail": fault["msg"].removeprefix("Value error, ")}


def _exceeded(fault: dict[str, Any]) -> tuple[int | None, int | None]:
    """Return the bound that was passed, and by what; a text by its length."""
    context = fault.get("ctx", {})
    limit = next((context[bound] for bound in BOUNDS if bound in context), None)
    if not isinstance(limit, int):
        return None, None
    given = fault["input"]
    if "actual_length" in context or fault["type"].startswith("string_"):
        return limit, len(given)
    try:
        return limit, int(given)
    except ValueError:
        return limit, None
