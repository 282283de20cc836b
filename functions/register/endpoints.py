from typing import Annotated

from fastapi import APIRouter, Depends

from functions.register.schemas import NewUser, RegisteredUser
from functions.register.service import Register
from shared.concurrency import BoundedThreads
from shared.errors import DatabaseUnavailable, RegistrationClosed, TooBusy, UsernameTaken
from shared.on_startup.registration import registration_is_open
from shared.on_startup.threads import threads
from shared.repositories.unit_of_work import UnitOfWork, unit_of_work
from shared.requests import BODY_REFUSALS, JsonRoute
from shared.responses import problems

router = APIRouter(route_class=JsonRoute, tags=["accounts"])

REFUSALS = problems(RegistrationClosed, UsernameTaken, *BODY_REFUSALS, TooBusy, DatabaseUnavailable)


async def register_service(
    unit_of_work: Annotated[UnitOfWork, Depends(unit_of_work)],
    threads: Annotated[BoundedThreads[str], Depends(threads)],
    is_open: Annotated[bool, Depends(registration_is_open)],
) -> Register:
    return Register(unit_of_work, threads, is_open)


@router.post("/auth/register", status_code=201, responses=REFUSALS)
async def register(user: NewUser, service: Annotated[Register, Depends(register_service)]) -> RegisteredUser:
    """Make an account.

    The password has 8 to 256 characters, of any kind, and is none of the most common; the username has
    no character that nobody can see.
    """
    user_id = await service.register(user.username, user.password)
    return RegisteredUser(id=user_id, username=user.username)
