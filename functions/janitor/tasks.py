from fastapi import FastAPI

from functions.janitor.jobs import OldJobs, StalledJobs
from functions.janitor.service import ExpiredSessions, ForgottenAttempts, Janitor, StaleGroups
from shared.repositories.unit_of_work import unit_of_work
from shared.runtime import Event


async def clean(app: FastAPI, event: Event) -> dict[str, int]:
    """Do every chore, whatever event it was that said that it is time."""
    state = app.state
    begin = await unit_of_work(state.database)
    chores = [
        ExpiredSessions(begin),
        ForgottenAttempts(begin),
        StalledJobs(begin, state.kafka_producer, state.job_retention.s3_bucket or ""),
        OldJobs(begin, state.job_retention.results),
        StaleGroups(state.pushed_groups),
    ]
    return await Janitor(chores).clean()
