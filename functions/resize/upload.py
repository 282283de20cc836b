"""How a picture arrives: as the body itself, or as the field `file` of a form (RFC 7578)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import PurePath

from fastapi import Request
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from shared.errors import BodyInvalid, SourceTooLarge
from shared.requests import media_type, read_body

MULTIPART = "multipart/form-data"
FIELD = "file"
FORM_OVERHEAD_BYTES = 16 * 1024
"""The boundaries and headers around the picture."""
DEFAULT_NAME = "image"


@dataclass(frozen=True, slots=True)
class Upload:
    content: bytes
    stem: str
    """The file's name without its ending."""


async def read_upload(request: Request, maximum_bytes: int) -> Upload:
    """Return the picture. Raises SourceTooLarge as soon as that is known, or BodyInvalid.

    The content type of a body that is no form is not looked at: the picture's own bytes say what it is.
    """
    if media_type(request) != MULTIPART:
        return Upload(await read_body(request, maximum_bytes, SourceTooLarge), DEFAULT_NAME)
    body = await read_body(request, maximum_bytes + FORM_OVERHEAD_BYTES, SourceTooLarge)
    form = await _parse_form(request, body)
    try:
        file = _file_of(form)
        content = await file.read()
    finally:
        await form.close()
    if len(content) > maximum_bytes:
        raise SourceTooLarge(
            f"At most {maximum_bytes} bytes are taken.", limit=maximum_bytes, actual=len(content)
        )
    return Upload(content, PurePath(file.filename or "").stem or DEFAULT_NAME)


class _InMemoryParser(MultiPartParser):
    # Nothing is spooled to a disk, which a function may not be allowed to write to.
    spool_max_size = 0


async def _parse_form(request: Request, body: bytes) -> FormData:
    async def stream() -> AsyncGenerator[bytes, None]:
        yield body

    parser = _InMemoryParser(request.headers, stream(), max_files=1, max_fields=8)
    try:
        return await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise BodyInvalid(f"The form cannot be read: {error}") from error


def _file_of(form: FormData) -> UploadFile:
    file = form.get(FIELD)
    if not isinstance(file, UploadFile):
        raise BodyInvalid(f"The form has no file in the field `{FIELD}`.")
    return file
