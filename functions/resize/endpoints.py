from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from functions.resize.description import ANSWERS, BODY, HEADERS
from functions.resize.queue import Queue, idempotency_key, queue
from functions.resize.schemas import StoredSource
from functions.resize.service import Asked, Resized, ResizeService
from functions.resize.stored import StoredPictures
from functions.resize.upload import DEFAULT_NAME, Upload, read_upload
from shared.authentication import authenticated
from shared.concurrency import BoundedThreads
from shared.db.storage import ObjectStorage, object_storage
from shared.errors import ParametersInvalid
from shared.images.limits import Limits
from shared.images.negotiation import accepted_formats
from shared.images.options import ProcessingOptions
from shared.images.receipt import server_timing
from shared.on_startup.pictures import answer_bytes, memory_megabytes, picture_limits, picture_seconds
from shared.on_startup.presets import Presets, presets
from shared.on_startup.threads import threads
from shared.requests import JSON, invalid, media_type, read_json, single_values
from shared.responses import NO_STORE, inline_filename
from shared.security.access_tokens import Identity

router = APIRouter(tags=["pictures"])


async def resize_service(
    threads: Annotated[BoundedThreads[Any], Depends(threads)],
    limits: Annotated[Limits, Depends(picture_limits)],
    seconds: Annotated[int, Depends(picture_seconds)],
) -> ResizeService:
    return ResizeService(threads, limits, seconds)


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
    dependencies=[Depends(authenticated), Depends(single_values), Depends(idempotency_key)],
    openapi_extra={"parameters": HEADERS, "requestBody": BODY},
)
async def resize(
    request: Request,
    query: Annotated[ProcessingOptions, Query()],
    caller: Annotated[Identity, Depends(authenticated)],
    service: Annotated[ResizeService, Depends(resize_service)],
    presets: Annotated[Presets, Depends(presets)],
    stored: Annotated[StoredPictures, Depends(stored_pictures)],
    queue: Annotated[Queue, Depends(queue)],
    memory_megabytes: Annotated[int, Depends(memory_megabytes)],
) -> Response:
    """Resize the picture to width x height, upright and in sRGB; animations stay what they are."""
    named = await read_json(request, StoredSource) if media_type(request) == JSON else None
    outputs = _outputs(query, named, presets)
    limit = service.limits.source_bytes
    if queue.takes(request, named):
        return await queue.accept(request, caller, named, outputs, limit)
    source = await _source(request, named, stored, limit)
    asked = _asked(request, outputs[0])
    answer = await service.resize(source.content, asked)
    headers = {"ETag": answer.tag, "Cache-Control": "private"}
    if asked.options.format == "auto":
        headers["Vary"] = "Accept"
    if answer.resized is None:
        return Response(status_code=304, headers=headers)
    return await _picture(answer.resized, source.stem, stored, headers, memory_megabytes)


async def _picture(
    resized: Resized, stem: str, stored: StoredPictures, headers: dict[str, str], memory_megabytes: int
) -> Response:
    """Answer the picture, or where it is."""
    picture = resized.picture
    width, height = picture.size
    filename = f"{stem}-{width}x{height}.{picture.format.extension}"
    headers |= {
        "Server-Timing": server_timing(resized.seconds),
        "Image-Receipt": resized.receipt(memory_megabytes),
    }
    if address := await stored.address(picture, filename):
        return Response(status_code=303, headers={**headers, "Location": address, **NO_STORE})
    headers["Content-Disposition"] = inline_filename(filename)
    return Response(picture.content, headers=headers, media_type=picture.format.media_type)


def _asked(request: Request, options: ProcessingOptions) -> Asked:
    accepted = accepted_formats(request.headers.get("accept", ""))
    return Asked(options, accepted, request.headers.get("if-none-match", ""))


def _outputs(
    query: ProcessingOptions, named: StoredSource | None, presets: Presets
) -> list[ProcessingOptions]:
    """Return what is to be made: what the query says, or each of a batch. Raises ParametersInvalid."""
    if named is None or named.outputs is None:
        return [_with_preset(query, presets, "query")]
    if given := query.model_fields_set:
        raise invalid([{"loc": ("query", name), "msg": "`outputs` has them"} for name in sorted(given)])
    return [
        _with_preset(each, presets, "body", "outputs", number) for number, each in enumerate(named.outputs)
    ]


def _with_preset(options: ProcessingOptions, presets: Presets, *where: str | int) -> ProcessingOptions:
    """Raises ParametersInvalid or BodyInvalid, which locate the fault: in the preset where one is named."""
    try:
        return options.with_preset(presets)
    except ParametersInvalid as refusal:
        name = () if options.preset is None else ("preset",)
        raise invalid([{"loc": (*where, *name), "msg": refusal.detail}]) from None


async def _source(request: Request, named: StoredSource | None, stored: StoredPictures, limit: int) -> Upload:
    """Return the picture that came with the request, or that it names."""
    if named is None:
        return await read_upload(request, limit)
    return Upload(await stored.read(named.source, limit), DEFAULT_NAME)
