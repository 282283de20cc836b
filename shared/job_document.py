"""A job as its user is shown it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel

from shared.repositories.jobs import JobState


class OutputDocument(BaseModel):
    """A picture that was asked for. What is not known before it is made is null until then."""

    params: dict[str, Any]
    width: int | None = None
    height: int | None = None
    bytes: int | None = None
    content_type: str | None = None
    url: str | None = None
    """GET it from there, without the token; good for 15 minutes, and each time another."""


class JobDocument(BaseModel):
    id: UUID
    status: Literal["queued", "running", "done", "failed"]
    created_at: datetime
    finished_at: datetime | None
    outputs: list[OutputDocument]
    problem: dict[str, Any] | None
    """Why it has failed: `code`, `title`, `status`, `detail`; `limit` and `actual` of a limit."""

    @classmethod
    def of(cls, job: JobState, urls: list[str] | None = None) -> Self:
        """Return the document; `urls` are those of the outputs, where they are made."""
        outputs = [OutputDocument(params=params) for params in job.params]
        for document, output in zip(outputs, job.outputs):
            document.width, document.height = output.width, output.height
            document.bytes, document.content_type = output.bytes, output.content_type
        for document, url in zip(outputs, urls or []):
            document.url = url
        return cls(
            id=job.id,
            status=job.status,  # type: ignore[arg-type]  # the table's check holds it to these
            created_at=job.created_at,
            finished_at=job.finished_at,
            outputs=outputs,
            problem=job.problem,
        )
