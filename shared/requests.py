"""How requests are read: bounded before they are read, and judged before they are used."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Coroutine
from functools import partial
from itertools import islice
from typing import Any, TypeVar
from urllib.parse import parse_qsl

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError
from starlette.datastructures import Headers

from shared.errors import (
    BodyInvalid,
    BodyTimeout,
    BodyTooLarge,
    MediaTypeUnsupported,
    ParametersInvalid,
    Problem,
)

MAXIMUM_BODY_BYTES = 16 * 1024
"""For JSON and forms: the longest password and a token fit ten times over."""

BODY_SECONDS = 30
"""As long as API Gateway waits; what is held of an upload that never ends must be let go."""

MAXIMUM_DIGITS = 18
"""Of a number that is taken as one; what has more exceeds every limit all the same."""
MAXIMUM_TEXT = 100
"""Characters of a caller's value that are given back to him."""

MAXIMUM_ERRORS = 20
"""Faults that one refusal tells of."""

BODY_REFUSALS = (BodyTimeout, BodyTooLarge, MediaTypeUnsupported, BodyInvalid)
"""Those of every route that takes a body."""

IDENTITY = "identity"

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
BOUNDS = ("ge", "le")

Body = TypeVar("Body", bound=BaseModel)


def media_type(request: Request) -> str:
    """Return the content type without its parameters, in lower case; empty when there is none.

    Raises MediaTypeUnsupported for more than one.
    """
    found = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if "," in found:
        raise MediaTypeUnsupported("The request has more than one Content-Type.")
    return found


async def read_body(
    request: Request,
    limit: int = MAXIMUM_BODY_BYTES,
    refusal: type[Problem] = BodyTooLarge,
    overhead: int = 0,
) -> bytes:
    """Return the body. Raises `refusal` as soon as it is known to be too long; or BodyTimeout.

    `overhead` is what may come around the content that the limit is for. Of a body that does not declare its
    length, `actual` is what had been read by then.
    """
    _refuse_encoded(request)
    declared = declared_bytes(request.headers)
    if declared is not None and declared > limit + overhead:
        raise _too_large(refusal, limit, _number(request.headers["content-length"]))
    chunks, length = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for chunk in request.stream():
                chunks.append(chunk)
                length += len(chunk)
                if length > limit + overhead:
                    raise _too_large(refusal, limit, length)
    except TimeoutError:
        raise BodyTimeout(f"The body must be here within {BODY_SECONDS} s.", limit=BODY_SECONDS) from None
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def declared_bytes(headers: Headers) -> int | None:
    """Return the length that a body is said to have; of a number too long to be one, its first digits."""
    declared = headers.get("content-length", "")
    return int(declared[:MAXIMUM_DIGITS]) if declared.isdecimal() else None


def _refuse_encoded(request: Request) -> None:
    """Raise MediaTypeUnsupported for a compressed body: what it grows to has no bound (RFC 9110, 8.4)."""
    codings = request.headers.get("content-encoding", IDENTITY).lower().split(",")
    if any(coding.strip() not in ("", IDENTITY) for coding in codings):
        raise MediaTypeUnsupported("The body must come as it is, without a Content-Encoding.")


async def single_values(request: Request) -> None:
    """Raise ParametersInvalid for a parameter given twice: which counts must not depend on who reads it."""
    names = Counter(name for name, _ in request.query_params.multi_items())
    if twice := [name for name, count in names.items() if count > 1]:
        raise invalid([{"loc": ("query", name), "msg": "given more than once"} for name in twice])


def _number(text: str) -> int | str:
    """Return the number, or its text where it is longer than a reader of JSON may be able to take in."""
    return int(text) if len(text) <= MAXIMUM_DIGITS else text[:MAXIMUM_TEXT]


def _too_large(refusal: type[Problem], limit: int, actual: int | str) -> Problem:
    return refusal(f"At most {limit} bytes are taken.", limit=limit, actual=actual)


def parse_json(body: bytes) -> Any:
    """Return the JSON value; NaN, infinities, lone surrogates, deep nesting and twins are no JSON here."""
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BodyInvalid(f"The body is not valid JSON: {error.msg}, at {error.pos}.") from None
    _refuse_twins(body.decode())
    return value


def _refuse_twins(text: str) -> None:
    """Raise BodyInvalid where a member is given twice, of which orjson takes the last (RFC 8259, 4)."""
    try:
        # Numbers stay text: they may have more digits than Python reads.
        json.loads(text, object_pairs_hook=_demand_once, parse_int=str, parse_float=str)
    except RecursionError:
        raise BodyInvalid("The body is nested too deeply.") from None


def _demand_once(members: list[tuple[str, Any]]) -> None:
    if len(dict(members)) < len(members):
        raise BodyInvalid("A member of an object is given twice.")


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


def body_schema(model: type[BaseModel]) -> dict[str, Any]:
    """Return what OpenAPI says of a body that no signature has; its `$defs` are to be components."""
    return {"schema": model.model_json_schema(ref_template="#/components/schemas/{model}")}


async def read_json(request: Request, model: type[Body]) -> Body:
    """Return the body as `model`: for a route that has to refuse before it is read, as no JsonRoute can.

    Strictly: no text is a number, and no number true or false.
    """
    if media_type(request) != JSON:
        raise MediaTypeUnsupported(f"This route takes {JSON}.")
    body = await read_body(request)
    parse_json(body)
    # Only its own reader of JSON lets pydantic take text for a UUID then; it would take NaN, and twins, too.
    return _validated(partial(model.model_validate_json, body, strict=True))


async def read_json_or_form(request: Request, model: type[Body]) -> Body:
    """Return the body as `model`, from JSON or from a form (RFC 6749, appendix B)."""
    parse = {JSON: parse_json, FORM: _parse_form}.get(media_type(request))
    if parse is None:
        raise MediaTypeUnsupported(f"This route takes {JSON} or {FORM}.")
    return _validated(partial(model.model_validate, parse(await read_body(request))))


def _validated(validate: Callable[[], Body]) -> Body:
    try:
        return validate()
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
    errors = [_located(fault) for fault in islice(faults, MAXIMUM_ERRORS)]
    detail = "; ".join(_sentence(error) for error in errors)
    if any(error["in"] == "body" for error in errors):
        bound, count = _counted(faults[0]) if len(errors) == 1 else (None, None)
        return BodyInvalid(detail, errors=errors, limit=bound, actual=count)
    limit, actual = _exceeded(faults[0]) if len(errors) == 1 else (None, None)
    return ParametersInvalid(detail, errors=errors, limit=limit, actual=actual)


def _sentence(error: dict[str, Any]) -> str:
    # What is wrong with the query or the body as a whole names the members itself.
    return error["detail"] if error["name"] == error["in"] else f"{error['name']}: {error['detail']}"


def _located(fault: dict[str, Any]) -> dict[str, Any]:
    where, *names = fault["loc"]
    name = ".".join(str(part) for part in names)[:MAXIMUM_TEXT] or str(where)
    return {"in": str(where), "name": name, "detail": fault["msg"].removeprefix("Value error, ")}


def _counted(fault: dict[str, Any]) -> tuple[int | None, int | None]:
    """Return how many items a list may have, and has."""
    context = fault.get("ctx", {})
    if "actual_length" not in context:
        return None, None
    return context.get("max_length", context.get("min_length")), context["actual_length"]


def _exceeded(fault: dict[str, Any]) -> tuple[int | None, int | str | None]:
    """Return the bound that a whole number passed, and the number."""
    context = fault.get("ctx", {})
    limit = next((context[bound] for bound in BOUNDS if bound in context), None)
    if limit is None:
        return None, None
    given: str = fault["input"]
    try:
        return limit, _number(given)
    except ValueError:
        return limit, given[:MAXIMUM_TEXT]
