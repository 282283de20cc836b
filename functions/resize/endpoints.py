from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from functions.resize.schemas import ResizeParameters
from functions.resize.service import Resizing
from functions.resize.upload import FIELD, MULTIPART, read_upload
from shared.authentication import authenticated
from shared.concurrency import BoundedThreads
from shared.errors import (
    BodyInvalid,
    InvalidToken,
    MediaTypeUnsupported,
    ParametersInvalid,
    SourceTooLarge,
    SourceTooManyPixels,
    SourceUnreadable,
    SourceUnsupported,
    TooBusy,
    TooSlow,
)
from shared.images import pipeline
from shared.images.formats import FORMATS
from shared.images.limits import Limits
from shared.images.pipeline import Picture
from shared.images.receipt import server_timing
from shared.on_startup.pictures import picture_limits, picture_seconds
from shared.on_startup.threads import threads
from shared.requests import single_values
from shared.responses import inline_filename, problems

router = APIRouter(tags=["pictures"])

REFUSALS = problems(
    InvalidToken,
    SourceTooLarge,
    SourceUnsupported,
    SourceUnreadable,
    SourceTooManyPixels,
    ParametersInvalid,
    BodyInvalid,
    MediaTypeUnsupported,
    TooBusy,
    TooSlow,
)
BINARY = {"type": "string", "format": "binary"}
FORM = {"type": "object", "required": [FIELD], "properties": {FIELD: BINARY}}
BODY: dict[str, Any] = {
    "required": True,
    "content": {"application/octet-stream": {"schema": BINARY}, MULTIPART: {"schema": FORM}},
}
ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The picture",
        "content": {written.media_type: {"schema": BINARY} for written in FORMATS.values()},
    },
    **REFUSALS,
}


async def resizing(
    threads: Annotated[BoundedThreads[Picture], Depends(threads)],
    limits: Annotated[Limits, Depends(picture_limits)],
    seconds: Annotated[int, Depends(picture_seconds)],
) -> Resizing:
    return Resizing(threads, limits, seconds)


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
) -> Response:
    """Resize the picture to fit into width x height, upright and in sRGB; never larger than it is."""
    upload = await read_upload(request, service.limits.source_bytes)
    resized = await service.resize(upload.content, pipeline.Request(**parameters.model_dump()))
    picture = resized.picture
    width, height = picture.size
    headers = {
        "Cache-Control": "private",
        "Content-Disposition": inline_filename(f"{upload.stem}-{width}x{height}.{picture.format.extension}"),
        "Server-Timing": server_timing(resized.seconds),
    }
    return Response(picture.content, headers=headers, media_type=picture.format.media_type)
