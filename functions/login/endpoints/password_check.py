from typing import Annotated, Any

from fastapi import Depends

from functions.login.password_check import PasswordCheck
from shared.concurrency import BoundedThreads
from shared.on_startup.threads import threads
from shared.repositories.unit_of_work import UnitOfWork, unit_of_work


async def password_check(
    unit_of_work: Annotated[UnitOfWork, Depends(unit_of_work)],
    threads: Annotated[BoundedThreads[Any], Depends(threads)],
) -> PasswordCheck:
    return PasswordCheck(unit_of_work, threads)
