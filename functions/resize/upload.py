"""How a picture arrives: as the body itself, or as the field `file` of a form (RFC 7578)."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import PurePath

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from shared.errors import BodyInvalid, MediaTypeUnsupported, SourceTooLarge, SourceUnreadable
from shared.requests import media_type, read_body

MULTIPART = "multipart/form-data"
FIELD = "file"
FORM_OVERHEAD_BYTES = 16 * 1024
"""The boundaries and headers around the picture."""
MAXIMUM_FIELDS = 8
UTF_8 = b"utf-8"
DEFAULT_NAME = "image"
MAXIMUM_STEM_CHARACTERS = 100


@dataclass(frozen=True, slots=True)
class Upload:
    content: bytes
    stem: str
    """The file's name without its ending."""


async def read_upload(request: Request, maximum_bytes: int) -> Upload:
    """Return the picture. Raises SourceTooLarge as soon as that is known, SourceUnreadable or BodyInvalid.

    The content type of a body that is no form tells nothing: the picture's own bytes say what it is.
    """
    if media_type(request) != MULTIPART:
        content = await read_body(request, maximum_bytes, SourceTooLarge)
        return Upload(_some(content), DEFAULT_NAME)
    body = await read_body(request, maximum_bytes, SourceTooLarge, FORM_OVERHEAD_BYTES)
    _refuse_charset(request)
    parser = _InMemoryParser(
        *(request.headers, _stream(body)),
        max_files=1,
        max_fields=MAXIMUM_FIELDS,
        max_part_size=FORM_OVERHEAD_BYTES,
    )
    try:
        file = _file_of(await _parse(parser))
        content = await file.read()
    finally:
        parser.close()
    if len(content) > maximum_bytes:
        raise SourceTooLarge(
            f"At most {maximum_bytes} bytes are taken.", limit=maximum_bytes, actual=len(content)
        )
    return Upload(_some(content), _stem(file.filename or ""))


def _some(content: bytes) -> bytes:
    if not content:
        raise SourceUnreadable("There is no picture: not one byte of it.", limit=1, actual=0)
    return content


def _refuse_charset(request: Request) -> None:
    """Raise MediaTypeUnsupported for any but UTF-8: Python has codecs that take minutes over a megabyte."""
    _, parameters = parse_options_header(request.headers["content-type"])
    if parameters.get(b"charset", UTF_8).lower() != UTF_8:
        raise MediaTypeUnsupported("The names in a form are taken in UTF-8.")


def _stem(name: str) -> str:
    # So a quote is sent by browsers, curl and others (HTML, 4.10.21.8).
    return PurePath(name.replace("%22", '"')).stem.strip(". ")[:MAXIMUM_STEM_CHARACTERS] or DEFAULT_NAME


class _InMemoryParser(MultiPartParser):
    # Nothing is spooled to a disk, which a function may not be allowed to write to.
    spool_max_size = 0

    def close(self) -> None:
        """Close every file, one that was cut off and so is in no form too."""
        for file in self._files_to_close_on_error:
            file.close()


async def _stream(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body


async def _parse(parser: MultiPartParser) -> FormData:
    try:
        return await parser.parse()
    except (MultiPartException, KeyError, ValueError) as error:
        raise BodyInvalid(f"The form cannot be read: {error}") from error


def _file_of(form: FormData) -> UploadFile:
    file = form.get(FIELD)
    if not isinstance(file, UploadFile):
        raise BodyInvalid(f"The form has no file in the field `{FIELD}`.")
    return file
