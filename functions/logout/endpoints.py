from typing import Annotated

from fastapi import APIRouter, Depends, Response

from functions.logout.schemas import LogoutRequest
from functions.logout.service import Logout
from shared.errors import DatabaseUnavailable
from shared.on_startup.refresh_tokens import refresh_tokens
from shared.repositories.unit_of_work import UnitOfWork, unit_of_work
from shared.requests import BODY_REFUSALS, JsonRoute
from shared.responses import problems
from shared.security.refresh_tokens import RefreshTokens

router = APIRouter(route_class=JsonRoute, tags=["tokens"])

REFUSALS = problems(*BODY_REFUSALS, DatabaseUnavailable)


async def logout_service(
    unit_of_work: Annotated[UnitOfWork, Depends(unit_of_work)],
    refresh_tokens: Annotated[RefreshTokens, Depends(refresh_tokens)],
) -> Logout:
    return Logout(unit_of_work, refresh_tokens)


@router.post("/auth/logout", status_code=204, response_class=Response, responses=REFUSALS)
async def logout(body: LogoutRequest, service: Annotated[Logout, Depends(logout_service)]) -> None:
    """End the session, or with `everywhere` all of the user's. The answer is the same for any token."""
    await service.logout(body.refresh_token, everywhere=body.everywhere)
