from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

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
    InvalidToken,
    MediaTypeUnsupported,
    ParametersInvalid,
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
from shared.images.parameters import ResizeParameters
from shared.images.pipeline import Picture
from shared.images.receipt import server_timing
from shared.on_startup.pictures import answer_bytes, picture_limits, picture_seconds
from shared.on_startup.threads import threads
from shared.requests import JSON, media_type, read_json, single_values
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
    parameters: Annotated[ResizeParameters, Query()],
    service: Annotated[Resizing, Depends(resizing)],
    stored: Annotated[StoredPictures, Depends(stored_pictures)],
) -> Response:
    """Resize the picture to fit into width x height, upright and in sRGB; never larger than it is."""
    source = await _source(request, stored, service.limits.source_bytes)
    resized = await service.resize(source.content, pipeline.Request(**parameters.model_dump()))
    picture = resized.picture
    width, height = picture.size
    filename = f"{source.stem}-{width}x{height}.{picture.format.extension}"
    timing = {"Server-Timing": server_timing(resized.seconds)}
    if address := await stored.address(picture, filename):
        return Response(status_code=303, headers={"Location": address, **NO_STORE, **timing})
    headers = {"Cache-Control": "private", "Content-Disposition": inline_filename(filename), **timing}
    return Response(picture.content, headers=headers, media_type=picture.format.media_type)


async def _source(request: Request, stored: StoredPictures, limit: int) -> Upload:
    """Return the picture that came with the request, or that it names."""
    if media_type(request) != JSON:
        return await read_upload(request, limit)
    named = await read_json(request, StoredSource)
    return Upload(await stored.read(named.source, limit), DEFAULT_NAME)
