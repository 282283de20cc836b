from fastapi import FastAPI

from functions.janitor.service import ExpiredSessions, Janitor, StaleGroups
from shared.repositories.unit_of_work import unit_of_work
from shared.runtime import Event


async def clean(app: FastAPI, event: Event) -> dict[str, int]:
    """Do every chore, whatever event it was that said that it is time."""
    begin = await unit_of_work(app.state.database)
    return await Janitor([ExpiredSessions(begin), StaleGroups(app.state.pushed_groups)]).clean()
