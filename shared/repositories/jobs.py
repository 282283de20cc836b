from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Executable,
    String,
    bindparam,
    cast,
    func,
    insert,
    literal,
    null,
    select,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from shared.db.job_changes import CHANNEL
from shared.errors import InvalidToken
from shared.models.identity.user import User
from shared.models.media.job import DONE, FAILED, QUEUED, RUNNING, Job
from shared.models.media.output import Output

LEASE = timedelta(seconds=15)
"""A worker that is killed holds its jobs up for so long. One that lives renews long before."""
UNFINISHED = (QUEUED, RUNNING)


@dataclass(frozen=True, slots=True)
class OutputState:
    key: str
    width: int
    height: int
    bytes: int
    content_type: str


@dataclass(frozen=True, slots=True)
class JobState:
    """A job after a statement on it; of `outputs` there are as many as of `params` when it is done."""

    id: UUID
    user_id: UUID
    status: str
    params: list[dict[str, Any]]
    attempt: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    problem: dict[str, Any] | None
    lease_seconds: float | None
    """Until the lease is over; None where there is none."""
    outputs: list[OutputState] = field(default_factory=list)

    @property
    def is_finished(self) -> bool:
        return self.status not in UNFINISHED


STATE = (
    Job.id,
    Job.user_id,
    Job.status,
    Job.params,
    Job.attempt,
    Job.created_at,
    Job.started_at,
    Job.finished_at,
    Job.problem,
    func.extract("epoch", Job.lease_expires_at - func.clock_timestamp()).label("lease_seconds"),
)


class Jobs:
    """Jobs and their outputs. Every judgement of time is made by the database, whose clock all share."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(
        self,
        user_id: UUID,
        params: Sequence[dict[str, Any]],
        source: tuple[str, str] | None,
        accepted: Sequence[str] | None = None,
    ) -> JobState:
        """Store a queued job; `source` is the key and the ETag of an object, where the message names one.

        Raises InvalidToken where there is no such user any more: a token is not looked up, and outlives him.
        """
        key, etag = source or (None, None)
        formats = null() if accepted is None else literal(list(accepted), JSONB)
        source_values = (literal(key, String), literal(etag, String))
        owner = select(User.id, literal(list(params), JSONB), formats, *source_values).where(
            User.id == user_id
        )
        columns = [Job.user_id, Job.params, Job.accepted, Job.source_key, Job.source_etag]
        statement = insert(Job).from_select(columns, owner).returning(*STATE)
        row = (await self._session.execute(statement)).one_or_none()
        if row is None:
            raise InvalidToken("Its user is no more.")
        return JobState(*row)

    async def find(self, job_id: UUID) -> JobState | None:
        states = await self._with_outputs([Job.id == job_id], limit=1)
        return states[0] if states else None

    async def of_user(self, job_id: UUID, user_id: UUID) -> JobState | None:
        states = await self._with_outputs([Job.id == job_id, Job.user_id == user_id], limit=1)
        return states[0] if states else None

    async def list_of_user(self, user_id: UUID, limit: int, before: UUID | None) -> list[JobState]:
        """Return the newest, or those made before the user's job `before`."""
        which = [Job.user_id == user_id]
        if before is not None:
            place = select(Job.created_at, Job.id).where(Job.id == before, Job.user_id == user_id)
            which.append(tuple_(Job.created_at, Job.id) < place.scalar_subquery())
        return await self._with_outputs(which, limit)

    async def take(self, job_id: UUID, lease: UUID, attempt: int) -> bool:
        """Lease the job and set it running. False when it is finished, leased to another, or not there."""
        taken = {"job_id": job_id, "new_lease": lease, "current_attempt": attempt}
        return await self._session.scalar(_taken(), taken) is not None

    async def renew(self, job_id: UUID, lease: UUID) -> bool:
        """Hold the job for another LEASE. False when the lease was lost."""
        lease_expires_at = func.clock_timestamp() + LEASE
        statement = update(Job).where(_leased(job_id, lease)).values(lease_expires_at=lease_expires_at)
        return await self._session.scalar(statement.returning(Job.id)) is not None

    async def release(self, job_id: UUID, lease: UUID) -> bool:
        """Put the job back, for a later attempt."""
        return await self._set(_leased(job_id, lease), QUEUED, sent_at=func.clock_timestamp(), **FREE)

    async def finish(self, job_id: UUID, lease: UUID, outputs: Sequence[OutputState]) -> JobState | None:
        """Store the outputs and set the job done. None, and nothing is stored, when the lease was lost."""
        which = {"job_id": job_id, "held_lease": lease}
        row = (await self._session.execute(_finished(), which)).one_or_none()
        if row is None:
            return None
        rows = [
            {"job_id": job_id, "position": position, **_columns(output)}
            for position, output in enumerate(outputs)
        ]
        await self._session.execute(insert(Output), rows)
        return replace(JobState(*row[: len(STATE)]), outputs=list(outputs))

    async def fail(self, job_id: UUID, problem: dict[str, Any]) -> bool:
        """Set the job failed, whoever has it. False when it was finished before, or is not there."""
        unfinished = (Job.id == job_id) & Job.status.in_(UNFINISHED)
        return await self._set(unfinished, FAILED, problem=problem, **ENDED)

    async def reopen(self, job_id: UUID) -> bool:
        """Queue a failed job again. False when it is in any other state, or not there."""
        return await self._set(
            (Job.id == job_id) & (Job.status == FAILED),
            QUEUED,
            finished_at=null(),
            problem=null(),
            sent_at=func.clock_timestamp(),
            attempt=1,
        )

    async def _set(self, which: ColumnElement[bool], status: str, **values: Any) -> bool:
        statement = update(Job).where(which).values(status=status, **values).returning(Job.id, TOLD)
        return await self._session.scalar(statement) is not None

    async def _with_outputs(self, which: list[ColumnElement[bool]], limit: int) -> list[JobState]:
        """Return the newest, each with its outputs."""
        statement = select(*STATE).where(*which).order_by(Job.created_at.desc(), Job.id.desc()).limit(limit)
        states = {row.id: JobState(*row) for row in await self._session.execute(statement)}
        made = select(Output).where(Output.job_id.in_(states)).order_by(Output.job_id, Output.position)
        for each in await self._session.scalars(made):
            output = OutputState(each.key, each.width, each.height, each.bytes, each.content_type)
            states[each.job_id].outputs.append(output)
        return list(states.values())


TOLD = func.pg_notify(CHANNEL, cast(Job.id, String))
"""What a statement that sets a status returns besides: with its commit, who waits for the job is told."""
FREE: dict[str, Any] = {"lease": null(), "lease_expires_at": null()}
ENDED: dict[str, Any] = {"finished_at": func.clock_timestamp(), **FREE}


# Those of every job are made once: to build a statement takes longer than to run it.


@cache
def _taken() -> Executable:
    free = Job.lease_expires_at.is_(None) | (Job.lease_expires_at <= func.clock_timestamp())
    return (
        update(Job)
        .where(Job.id == bindparam("job_id"), Job.status.in_(UNFINISHED), free)
        .values(
            status=RUNNING,
            lease=bindparam("new_lease"),
            lease_expires_at=func.clock_timestamp() + LEASE,
            attempt=bindparam("current_attempt"),
            started_at=func.coalesce(Job.started_at, func.clock_timestamp()),
        )
        .returning(Job.id, TOLD)
    )


@cache
def _finished() -> Executable:
    held = _leased(bindparam("job_id"), bindparam("held_lease"))
    return update(Job).where(held).values(status=DONE, **ENDED).returning(*STATE, TOLD)


def _leased(job_id: UUID | BindParameter[UUID], lease: UUID | BindParameter[UUID]) -> ColumnElement[bool]:
    """Though it be over: as long as nobody else has taken the job, what was done counts."""
    return (Job.id == job_id) & (Job.lease == lease)


def _columns(output: OutputState) -> dict[str, Any]:
    return {name: getattr(output, name) for name in ("key", "width", "height", "bytes", "content_type")}
