from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from functions.jobs.schemas import JobList, JobQuery, ListQuery
from functions.jobs.service import OwnJobs
from shared.authentication import authenticated
from shared.db.job_changes import JobChanges, job_changes
from shared.db.storage import ObjectStorage, object_storage
from shared.errors import (
    DatabaseUnavailable,
    InvalidToken,
    NotFound,
    ParametersInvalid,
    StorageUnavailable,
    TooBusy,
)
from shared.job_document import JobDocument
from shared.repositories.unit_of_work import UnitOfWork, unit_of_work
from shared.requests import single_values
from shared.responses import NO_STORE, problems
from shared.security.access_tokens import Identity

router = APIRouter(tags=["pictures"], dependencies=[Depends(authenticated), Depends(single_values)])

LIST_REFUSALS = problems(InvalidToken, ParametersInvalid, TooBusy, DatabaseUnavailable, StorageUnavailable)
REFUSALS = problems(
    InvalidToken, NotFound, ParametersInvalid, TooBusy, DatabaseUnavailable, StorageUnavailable
)


async def own_jobs(
    caller: Annotated[Identity, Depends(authenticated)],
    unit_of_work: Annotated[UnitOfWork, Depends(unit_of_work)],
    storage: Annotated[ObjectStorage, Depends(object_storage)],
    changes: Annotated[JobChanges, Depends(job_changes)],
) -> OwnJobs:
    return OwnJobs(unit_of_work, storage, changes, caller.user_id)


@router.get("/file/jobs", responses=LIST_REFUSALS)
async def list_jobs(
    query: Annotated[ListQuery, Query()], service: Annotated[OwnJobs, Depends(own_jobs)], response: Response
) -> JobList:
    """List the caller's jobs, the newest first."""
    response.headers.update(NO_STORE)
    jobs, more = await service.list(query.limit, query.before)
    following = f"/file/jobs?limit={query.limit}&before={jobs[-1].id}" if more else None
    return JobList(jobs=jobs, next=following)


@router.get("/file/jobs/{job_id}", responses=REFUSALS)
async def one_job(
    job_id: UUID,
    query: Annotated[JobQuery, Query()],
    service: Annotated[OwnJobs, Depends(own_jobs)],
    response: Response,
) -> JobDocument:
    """Get one of the caller's jobs, as soon as its status changes, or when `wait` seconds are over."""
    response.headers.update(NO_STORE)
    return await service.one(job_id, query.wait)
