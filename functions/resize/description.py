"""What OpenAPI says of `POST /file/resize` and no signature does."""

from typing import Any

from functions.resize.preferences import RESPOND_ASYNC
from functions.resize.queue import IDEMPOTENCY_KEY
from functions.resize.schemas import StoredSource
from functions.resize.upload import FIELD, MAXIMUM_FIELDS, MULTIPART
from shared.errors import (
    DatabaseUnavailable,
    IdempotencyKeyReused,
    InvalidToken,
    ParametersInvalid,
    QueueUnavailable,
    ResultTooLarge,
    SourceNotFound,
    SourceTooLarge,
    SourceTooManyPixels,
    SourceUnreadable,
    SourceUnsupported,
    StorageUnavailable,
    TooBusy,
    TooSlow,
)
from shared.images.formats import FORMATS
from shared.requests import BODY_REFUSALS, JSON, body_schema
from shared.responses import problems

REFUSALS = problems(
    InvalidToken,
    SourceNotFound,
    SourceTooLarge,
    ResultTooLarge,
    SourceUnsupported,
    SourceUnreadable,
    SourceTooManyPixels,
    ParametersInvalid,
    *BODY_REFUSALS,
    TooBusy,
    TooSlow,
    StorageUnavailable,
    QueueUnavailable,
    DatabaseUnavailable,
    IdempotencyKeyReused,
)
BINARY = {"type": "string", "format": "binary"}
FORM = {
    "type": "object",
    "required": [FIELD],
    "properties": {FIELD: BINARY},
    "additionalProperties": {"type": "string"},
    "maxProperties": MAXIMUM_FIELDS + 1,
}
BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/octet-stream": {"schema": BINARY},
        MULTIPART: {"schema": FORM},
        JSON: body_schema(StoredSource),
    },
}
HEADERS = [
    {
        "name": "Prefer",
        "in": "header",
        "description": f"`{RESPOND_ASYNC}` makes a job of it (RFC 7240).",
        "schema": {"type": "string"},
        "examples": {RESPOND_ASYNC: {"value": RESPOND_ASYNC}},
    },
    {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "Of a job: the same request with the same key finds the job that it made.",
        "schema": {"type": "string", "pattern": f"^{IDEMPOTENCY_KEY.pattern}$"},
    },
    {
        "name": "If-None-Match",
        "in": "header",
        "description": "The `ETag` of a picture: while that has not changed, the answer is 304.",
        "schema": {"type": "string"},
    },
]
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture",
        "content": {written.media_type: {"schema": BINARY} for written in FORMATS.values()},
    },
    202: {
        "description": "The job, with `Prefer: respond-async` or `outputs`; `Location` shows how it goes on",
        "headers": {"Location": {"schema": {"type": "string"}}},
        "content": {JSON: {"schema": {"$ref": "#/components/schemas/JobDocument"}}},
        "links": {
            "job": {
                "operationRef": "#/paths/~1file~1jobs~1{job_id}/get",
                "parameters": {"job_id": "$response.body#/id"},
            }
        },
    },
    304: {"description": "The picture has not changed: it is the one of If-None-Match"},
    303: {
        "description": "The picture is too large for an answer: GET it from there, without the token",
        "headers": {"Location": {"schema": {"type": "string", "format": "uri"}}},
    },
    **REFUSALS,
}
