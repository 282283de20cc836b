from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from functions.login.endpoints.password_check import password_check
from functions.login.password_change import PasswordChange
from functions.login.password_check import PasswordCheck
from functions.login.schemas import PasswordChangeRequest
from shared.authentication import authenticated
from shared.errors import DatabaseUnavailable, InvalidCredentials, InvalidToken, TooBusy, TooManyAttempts
from shared.on_startup.accounts import account_macs
from shared.repositories.unit_of_work import UnitOfWork, unit_of_work
from shared.requests import BODY_REFUSALS, JSON, body_schema, read_json
from shared.responses import problems
from shared.security.access_tokens import Identity
from shared.security.account_macs import AccountMacs

router = APIRouter(tags=["accounts"])

REFUSALS = problems(
    InvalidToken, InvalidCredentials, *BODY_REFUSALS, TooManyAttempts, TooBusy, DatabaseUnavailable
)
BODY = body_schema(PasswordChangeRequest)


async def password_change(
    caller: Annotated[Identity, Depends(authenticated)],
    unit_of_work: Annotated[UnitOfWork, Depends(unit_of_work)],
    passwords: Annotated[PasswordCheck, Depends(password_check)],
    accounts: Annotated[AccountMacs, Depends(account_macs)],
) -> PasswordChange:
    return PasswordChange(unit_of_work, passwords, accounts, caller)


async def passwords(request: Request) -> PasswordChangeRequest:
    return await read_json(request, PasswordChangeRequest)


@router.post(
    "/auth/password",
    status_code=204,
    response_class=Response,
    responses=REFUSALS,
    openapi_extra={"requestBody": {"required": True, "content": {JSON: BODY}}},
)
async def change_password(
    # In this order: who shows no access token is refused before a byte of the body is read.
    service: Annotated[PasswordChange, Depends(password_change)],
    passwords: Annotated[PasswordChangeRequest, Depends(passwords)],
) -> None:
    """Change the caller's password, and end all of the caller's sessions but this one."""
    await service.change(passwords.password, passwords.new_password)
