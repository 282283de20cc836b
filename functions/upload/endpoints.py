from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from functions.upload.schemas import UploadRequest, UploadTicket
from functions.upload.service import Uploads
from shared.authentication import authenticated
from shared.db.storage import ObjectStorage, object_storage
from shared.errors import InvalidToken, SourceTooLarge, SourceUnsupported, StorageUnavailable, TooBusy
from shared.on_startup.pictures import source_bytes
from shared.requests import BODY_REFUSALS, JSON, body_schema, read_json
from shared.responses import NO_STORE, problems
from shared.security.access_tokens import Identity

router = APIRouter(tags=["pictures"])

REFUSALS = problems(
    InvalidToken, *BODY_REFUSALS, SourceTooLarge, SourceUnsupported, TooBusy, StorageUnavailable
)
BODY = body_schema(UploadRequest)


async def uploads(
    storage: Annotated[ObjectStorage, Depends(object_storage)],
    maximum_bytes: Annotated[int, Depends(source_bytes)],
) -> Uploads:
    return Uploads(storage, maximum_bytes)


async def upload_request(request: Request) -> UploadRequest:
    return await read_json(request, UploadRequest)


@router.post(
    "/file/upload",
    status_code=201,
    responses=REFUSALS,
    openapi_extra={"requestBody": {"required": True, "content": {JSON: BODY}}},
)
async def upload(
    # In this order: who shows no access token is refused before a byte of the body is read.
    caller: Annotated[Identity, Depends(authenticated)],
    wanted: Annotated[UploadRequest, Depends(upload_request)],
    service: Annotated[Uploads, Depends(uploads)],
    response: Response,
) -> UploadTicket:
    """Get an address to upload one large picture to; `source` names it for `POST /file/resize`."""
    response.headers.update(NO_STORE)
    return await service.ticket(caller.user_id, wanted.content_type, wanted.content_length)
