from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from functions.login.endpoints.password_check import password_check
from functions.login.password_check import PasswordCheck
from functions.login.schemas import Credentials
from functions.login.service import Login
from shared.errors import DatabaseUnavailable, InvalidCredentials, TooBusy, TooManyAttempts
from shared.on_startup.accounts import account_macs
from shared.on_startup.tokens import token_issuer
from shared.repositories.unit_of_work import UnitOfWork, unit_of_work
from shared.requests import BODY_REFUSALS, FORM, JSON, body_schema, read_json_or_form
from shared.responses import NO_STORE, problems
from shared.security.account_macs import AccountMacs
from shared.security.tokens import TokenIssuer, TokenResponse

router = APIRouter(tags=["tokens"])

REFUSALS = problems(InvalidCredentials, *BODY_REFUSALS, TooManyAttempts, TooBusy, DatabaseUnavailable)
BODY = body_schema(Credentials)
# A field that is given twice is refused (RFC 6749, 3.2), so none is a list.
FORM_BODY = {"schema": {**BODY["schema"], "additionalProperties": {"type": "string"}}}


async def login_service(
    unit_of_work: Annotated[UnitOfWork, Depends(unit_of_work)],
    passwords: Annotated[PasswordCheck, Depends(password_check)],
    accounts: Annotated[AccountMacs, Depends(account_macs)],
    issuer: Annotated[TokenIssuer, Depends(token_issuer)],
) -> Login:
    return Login(unit_of_work, passwords, accounts, issuer)


async def credentials(request: Request) -> Credentials:
    return await read_json_or_form(request, Credentials)


@router.post(
    "/auth/login",
    responses=REFUSALS,
    openapi_extra={"requestBody": {"required": True, "content": {JSON: BODY, FORM: FORM_BODY}}},
)
async def login(
    credentials: Annotated[Credentials, Depends(credentials)],
    service: Annotated[Login, Depends(login_service)],
    response: Response,
) -> TokenResponse:
    """Sign in, by JSON or an OAuth2 password form: an access and a refresh token."""
    response.headers.update(NO_STORE)
    return await service.login(credentials.username, credentials.password)
