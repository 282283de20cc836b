from dataclasses import asdict
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Response

from functions.refresh.schemas import OwnSession, RefreshRequest, SessionList
from functions.refresh.service import OwnSessions, Refresh
from shared.authentication import authenticated
from shared.errors import (
    DatabaseUnavailable,
    InvalidToken,
    NotFound,
    ParametersInvalid,
    RefreshTokenExpired,
    RefreshTokenInvalid,
    RefreshTokenReused,
)
from shared.on_startup.tokens import token_issuer
from shared.repositories.unit_of_work import UnitOfWork, unit_of_work
from shared.requests import BODY_REFUSALS, JsonRoute
from shared.responses import NO_STORE, problems
from shared.security.access_tokens import Identity
from shared.security.tokens import TokenIssuer, TokenResponse

router = APIRouter(route_class=JsonRoute, tags=["tokens"])

REFUSALS = problems(
    RefreshTokenInvalid, RefreshTokenExpired, RefreshTokenReused, *BODY_REFUSALS, DatabaseUnavailable
)
LIST_REFUSALS = problems(InvalidToken, DatabaseUnavailable)
END_REFUSALS = problems(InvalidToken, NotFound, ParametersInvalid, DatabaseUnavailable)


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


async def own_sessions(
    caller: Annotated[Identity, Depends(authenticated)],
    unit_of_work: Annotated[UnitOfWork, Depends(unit_of_work)],
) -> OwnSessions:
    return OwnSessions(unit_of_work, caller)


@router.get("/auth/sessions", responses=LIST_REFUSALS)
async def list_sessions(
    service: Annotated[OwnSessions, Depends(own_sessions)], response: Response
) -> SessionList:
    """List the caller's live sessions, the last refreshed first."""
    response.headers.update(NO_STORE)
    current = service.caller.session_id
    sessions = [OwnSession(**asdict(each), current=each.id == current) for each in await service.list()]
    return SessionList(sessions=sessions)


@router.delete(
    "/auth/sessions/{session_id}", status_code=204, response_class=Response, responses=END_REFUSALS
)
async def end_session(session_id: UUID, service: Annotated[OwnSessions, Depends(own_sessions)]) -> None:
    """End one of the caller's sessions, the current one or another."""
    await service.end(session_id)
