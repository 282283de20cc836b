from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from shared.job_document import JobDocument

LONGEST_WAIT_SECONDS = 20
"""Below the 29 s after which API Gateway gives up."""
MAXIMUM_PAGE = 50


class ListQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAXIMUM_PAGE)] = 20
    before: UUID | None = None
    """A job's id: those that were made before it."""


class JobQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    wait: Annotated[int, Field(ge=0, le=LONGEST_WAIT_SECONDS)] = 0
    """Seconds that the answer may wait for the job to change."""


class JobList(BaseModel):
    jobs: list[JobDocument]
    next: str | None
    """The address of the next page; null where there is none."""
