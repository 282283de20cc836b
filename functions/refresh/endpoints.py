from typing import Annotated

from fastapi import APIRouter, Depends, Response

from functions.refresh.schemas import RefreshRequest
from functions.refresh.service import Refresh
from shared.errors import (
    BodyInvalid,
    BodyTooLarge,
    DatabaseUnavailable,
    MediaTypeUnsupported,
    RefreshTokenExpired,
    RefreshTokenInvalid,
    RefreshTokenReused,
)
from shared.on_startup.tokens import token_issuer
from shared.repositories.unit_of_work import UnitOfWork, unit_of_work
from shared.requests import JsonRoute
from shared.responses import NO_STORE, problems
from shared.security.tokens import TokenIssuer, TokenResponse

router = APIRouter(route_class=JsonRoute, tags=["tokens"])

REFUSALS = problems(
    RefreshTokenInvalid,
    RefreshTokenExpired,
    RefreshTokenReused,
    BodyTooLarge,
    MediaTypeUnsupported,
    BodyInvalid,
    DatabaseUnavailable,
)


async def refresh_service(
    unit_of_work: Annotated[UnitOfWork, Depends(unit_of_work)],
    issuer: Annotated[TokenIssuer, Depends(token_issuer)],
) -> Refresh:
    return Refresh(unit_of_work, issuer)


@router.post("/auth/refresh", responses=REFUSALS)
async def refresh(
    body: RefreshRequest,
    service: Annotated[Refresh, Depends(refresh_service)],
    response: Response,
) -> TokenResponse:
    """Replace both tokens. The refresh token shown is good no longer, but for a retry within 10 seconds."""
    response.headers.update(NO_STORE)
    return await service.refresh(body.refresh_token)
