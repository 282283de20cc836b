from __future__ import annotations

from typing import Annotated, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from shared.messages.envelope import MAXIMUM_BYTES, Envelope, Identifier
from shared.messages.record import Headers, Record

ROOM_BYTES = 8 * 1024
"""For what stands around the record, so that whatever came can be put among the dead."""
MAXIMUM_RECORD_BYTES = MAXIMUM_BYTES - ROOM_BYTES
MAXIMUM_KEY_BYTES = 256
MAXIMUM_DETAIL = 500


class Origin(BaseModel):
    """Where the record was when it was given up."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    topic: Annotated[str, Field(max_length=249)]
    partition: int
    offset: int


class ResizeDead(Envelope):
    """A record is given up: the reason, where it came from, and the record itself."""

    type_: ClassVar[str] = "image.resize.dead"

    code: str
    """That of a Problem."""
    detail: Annotated[str, Field(max_length=MAXIMUM_DETAIL)]
    attempt: int = Field(ge=1)
    job: Identifier | None = None
    """None where the record could not be read."""
    origin: Origin
    key: bytes | None = None
    record: bytes
    length: int
    """Of the record; where `record` has fewer bytes it was cut, as it had more than any message."""

    @classmethod
    def of(
        cls, record: Record, code: str, detail: str, attempt: int = 1, job: Identifier | None = None
    ) -> Self:
        """Return the message for a record; the same record gives up the same, whatever its bytes."""
        value = record.value or b""
        return cls(
            code=code,
            detail=detail[:MAXIMUM_DETAIL],
            attempt=attempt,
            job=job,
            origin=Origin(topic=record.topic, partition=record.partition, offset=record.offset),
            key=record.key if record.key is None else record.key[:MAXIMUM_KEY_BYTES],
            record=value[:MAXIMUM_RECORD_BYTES],
            length=len(value),
        )

    @property
    def is_whole(self) -> bool:
        return self.length == len(self.record)


def dead_headers(code: str, origin: Origin) -> Headers:
    """Return the reason and the origin, for tools that read headers only."""
    return (
        ("reason", code.encode()),
        ("origin-topic", origin.topic.encode()),
        ("origin-partition", b"%d" % origin.partition),
        ("origin-offset", b"%d" % origin.offset),
    )
