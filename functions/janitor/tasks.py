from fastapi import FastAPI

from functions.janitor.jobs import OldJobs, StalledJobs
from functions.janitor.objects import OldResults, OldUploads
from functions.janitor.service import ExpiredSessions, ForgottenAttempts, Janitor, OldAuditEvents, StaleGroups
from shared.repositories.unit_of_work import unit_of_work
from shared.runtime import Event


async def clean(app: FastAPI, event: Event) -> dict[str, int]:
    """Do every chore, whatever event it was that said that it is time."""
    state = app.state
    storage, retention = state.object_storage, state.retention
    begin = await unit_of_work(state.database)
    chores = [
        ExpiredSessions(begin),
        ForgottenAttempts(begin),
        OldAuditEvents(begin, retention.audit_events),
        StalledJobs(begin, state.kafka_producer, storage.bucket),
        OldUploads(storage, retention.uploads),
        OldResults(storage, retention.results),
        OldJobs(begin, retention.results),
        StaleGroups(state.pushed_groups),
    ]
    return await Janitor(chores).clean()
