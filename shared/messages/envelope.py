"""What every message has around its own fields, and how it is written: msgpack, one map."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID, uuid4

import msgpack
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.errors import MessageInvalid
from shared.messages.record import ATTEMPT_HEADER, TRACEPARENT_HEADER, VERSION_HEADER, Headers

VERSION = 1
MAXIMUM_BYTES = 640 * 1024
"""Of a message. A broker takes 1 MiB at most by default, and the dead topic's has another one in it."""

Identifier = Annotated[UUID, Field(strict=False)]
"""Written as text: msgpack has no type of its own for it."""


class Envelope(BaseModel):
    """One message. Its subclass names its type, which is that of its topic as well."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)
    type_: ClassVar[str]

    id: Identifier = Field(default_factory=uuid4)
    at: int = Field(default_factory=lambda: time.time_ns() // 1_000_000, ge=0)
    """Unix milliseconds."""

    def encode(self) -> bytes:
        fields = self.model_dump(exclude_none=True)
        return bytes(msgpack.packb({"v": VERSION, "type": self.type_, **fields}, default=_plain))

    @classmethod
    def decode(cls, value: bytes | None) -> Self:
        """Raises MessageInvalid for whatever is no message of this type, and nothing else."""
        fields = _unpacked(value)
        if (version := fields.pop("v", None)) != VERSION:
            raise MessageInvalid(f"Its version is {version!r:.100}, and {VERSION} is read.")
        if (kind := fields.pop("type", None)) != cls.type_:
            raise MessageInvalid(f"Its type is {kind!r:.100}, and {cls.type_} is read.")
        if missing := [name for name in ("id", "at") if name not in fields]:
            raise MessageInvalid(f"It has no {' and no '.join(missing)}.")
        try:
            return cls.model_validate(fields)
        except ValidationError as error:
            raise MessageInvalid(_faults(error)) from None


def headers_of(attempt: int, traceparent: str | None = None) -> Headers:
    """Return what is told of a message outside of it: for those who pass it on without reading it."""
    headers = ((VERSION_HEADER, b"%d" % VERSION), (ATTEMPT_HEADER, b"%d" % attempt))
    return headers if traceparent is None else (*headers, (TRACEPARENT_HEADER, traceparent.encode()))


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not written to a message")


def _unpacked(value: bytes | None) -> dict[str, Any]:
    length = len(value or b"")
    if length > MAXIMUM_BYTES:
        raise MessageInvalid(f"It has {length} bytes.", limit=MAXIMUM_BYTES, actual=length)
    try:
        unpacked = msgpack.unpackb(value or b"")
    except (ValueError, msgpack.UnpackException) as error:
        # ExtraData, FormatError, StackError and UnicodeDecodeError are ValueErrors.
        raise MessageInvalid(f"It is not msgpack: {type(error).__name__}.") from None
    if not isinstance(unpacked, Mapping):
        raise MessageInvalid("It is no map.")
    return dict(unpacked)


def _faults(error: ValidationError) -> str:
    faults = error.errors(include_input=False, include_url=False, include_context=False)[:5]
    return "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in faults)
