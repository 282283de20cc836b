from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import ValidationError

from functions.resize.queue import Queue, queue
from functions.resize.schemas import StoredSource
from functions.resize.service import Resizing
from functions.resize.stored import StoredPictures
from functions.resize.upload import DEFAULT_NAME, FIELD, MULTIPART, Upload, read_upload
from shared.authentication import authenticated
from shared.concurrency import BoundedThreads
from shared.db.storage import ObjectStorage, object_storage
from shared.errors import (
    BodyInvalid,
    BodyTooLarge,
    DatabaseUnavailable,
    IdempotencyKeyReused,
    InvalidToken,
    MediaTypeUnsupported,
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
from shared.images import pipeline
from shared.images.formats import FORMATS
from shared.images.limits import Limits
from shared.images.parameters import ResizeParameters, ResizeQuery
from shared.images.pipeline import Picture
from shared.images.receipt import server_timing
from shared.on_startup.pictures import answer_bytes, picture_limits, picture_seconds
from shared.on_startup.threads import threads
from shared.requests import JSON, invalid, media_type, read_json, single_values
from shared.responses import NO_STORE, inline_filename, problems
from shared.security.access_tokens import Identity

router = APIRouter(tags=["pictures"])

REFUSALS = problems(
    InvalidToken,
    SourceNotFound,
    SourceTooLarge,
    ResultTooLarge,
    BodyTooLarge,
    SourceUnsupported,
    SourceUnreadable,
    SourceTooManyPixels,
    ParametersInvalid,
    BodyInvalid,
    MediaTypeUnsupported,
    TooBusy,
    TooSlow,
    StorageUnavailable,
    QueueUnavailable,
    DatabaseUnavailable,
    IdempotencyKeyReused,
)
BINARY = {"type": "string", "format": "binary"}
FORM = {"type": "object", "required": [FIELD], "properties": {FIELD: BINARY}}
BODY: dict[str, Any] = {
    "required": True,
    "content": {
        "application/octet-stream": {"schema": BINARY},
        MULTIPART: {"schema": FORM},
        JSON: {"schema": StoredSource.model_json_schema()},
    },
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture",
        "content": {written.media_type: {"schema": BINARY} for written in FORMATS.values()},
    },
    202: {
        "description": "The job, with `Prefer: respond-async` or `outputs`; `Location` shows how it goes on",
        "headers": {"Location": {"schema": {"type": "string"}}},
    },
    303: {
        "description": "The picture is too large for an answer: GET it from there, without the token",
        "headers": {"Location": {"schema": {"type": "string", "format": "uri"}}},
    },
    **REFUSALS,
}


async def resizing(
    threads: Annotated[BoundedThreads[Picture], Depends(threads)],
    limits: Annotated[Limits, Depends(picture_limits)],
    seconds: Annotated[int, Depends(picture_seconds)],
) -> Resizing:
    return Resizing(threads, limits, seconds)


async def stored_pictures(
    caller: Annotated[Identity, Depends(authenticated)],
    storage: Annotated[ObjectStorage, Depends(object_storage)],
    answer_bytes: Annotated[int | None, Depends(answer_bytes)],
) -> StoredPictures:
    return StoredPictures(storage, caller.user_id, answer_bytes)


@router.post(
    "/file/resize",
    response_class=Response,
    responses=ANSWERS,
    dependencies=[Depends(authenticated), Depends(single_values)],
    openapi_extra={"requestBody": BODY},
)
async def resize(
    request: Request,
    query: Annotated[ResizeQuery, Query()],
    caller: Annotated[Identity, Depends(authenticated)],
    service: Annotated[Resizing, Depends(resizing)],
    stored: Annotated[StoredPictures, Depends(stored_pictures)],
    queue: Annotated[Queue, Depends(queue)],
) -> Response:
    """Resize the picture to fit into width x height, upright and in sRGB; never larger than it is."""
    named = await read_json(request, StoredSource) if media_type(request) == JSON else None
    outputs = _outputs(query, named)
    limit = service.limits.source_bytes
    if queue.takes(request, named):
        return await queue.accept(request, caller, named, outputs, limit)
    source = await _source(request, named, stored, limit)
    resized = await service.resize(source.content, pipeline.Request(**outputs[0].model_dump()))
    picture = resized.picture
    width, height = picture.size
    filename = f"{source.stem}-{width}x{height}.{picture.format.extension}"
    timing = {"Server-Timing": server_timing(resized.seconds)}
    if address := await stored.address(picture, filename):
        return Response(status_code=303, headers={"Location": address, **NO_STORE, **timing})
    headers = {"Cache-Control": "private", "Content-Disposition": inline_filename(filename), **timing}
    return Response(picture.content, headers=headers, media_type=picture.format.media_type)


def _outputs(query: ResizeQuery, named: StoredSource | None) -> list[ResizeParameters]:
    """Return what is to be made: what the query says, or each of a batch. Raises ParametersInvalid."""
    given = query.model_dump(exclude_unset=True)
    if named is not None and named.outputs is not None:
        if given:
            raise invalid([{"loc": ("query", name), "msg": "`outputs` has them"} for name in given])
        return named.outputs
    try:
        return [ResizeParameters.model_validate(given)]
    except ValidationError as error:
        raise invalid([{**fault, "loc": ("query", *fault["loc"])} for fault in error.errors()]) from None


async def _source(request: Request, named: StoredSource | None, stored: StoredPictures, limit: int) -> Upload:
    """Return the picture that came with the request, or that it names."""
    if named is None:
        return await read_upload(request, limit)
    return Upload(await stored.read(named.source, limit), DEFAULT_NAME)
