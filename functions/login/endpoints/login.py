from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response

from functions.login.password_change import PasswordChange
from functions.login.password_check import PasswordCheck
from functions.login.schemas import Credentials, PasswordChangeRequest
from functions.login.service import Login
from shared.authentication import authenticated
from shared.concurrency import BoundedThreads
from shared.errors import (
    BodyInvalid,
    BodyTimeout,
    BodyTooLarge,
    DatabaseUnavailable,
    InvalidCredentials,
    InvalidToken,
    MediaTypeUnsupported,
    TooBusy,
    TooManyAttempts,
)
from shared.on_startup.accounts import account_macs
from shared.on_startup.threads import threads
from shared.on_startup.tokens import token_issuer, verification_key_ring
from shared.repositories.unit_of_work import UnitOfWork, unit_of_work
from shared.requests import FORM, JSON, body_schema, read_json, read_json_or_form
from shared.responses import NO_STORE, OrjsonResponse, problems
from shared.security.access_tokens import Identity
from shared.security.account_macs import AccountMacs
from shared.security.keys import KeyRing
from shared.security.tokens import TokenIssuer, TokenResponse

router = APIRouter()

REFUSALS = problems(
    InvalidCredentials,
    BodyTimeout,
    BodyTooLarge,
    MediaTypeUnsupported,
    BodyInvalid,
    TooManyAttempts,
    TooBusy,
    DatabaseUnavailable,
)
BODY = body_schema(Credentials)
# A field that is given twice is refused (RFC 6749, 3.2), so none is a list.
FORM_BODY = {"schema": {**BODY["schema"], "additionalProperties": {"type": "string"}}}
CHANGE_REFUSALS = problems(
    InvalidToken,
    InvalidCredentials,
    BodyTimeout,
    BodyTooLarge,
    MediaTypeUnsupported,
    BodyInvalid,
    TooManyAttempts,
    TooBusy,
    DatabaseUnavailable,
)
CHANGE_BODY = body_schema(PasswordChangeRequest)
JWKS_CACHE = {"Cache-Control": "public, max-age=600"}


async def password_check(
    unit_of_work: Annotated[UnitOfWork, Depends(unit_of_work)],
    threads: Annotated[BoundedThreads[Any], Depends(threads)],
) -> PasswordCheck:
    return PasswordCheck(unit_of_work, threads)


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
    tags=["tokens"],
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


@router.get("/.well-known/jwks.json", tags=["tokens"])
async def jwks(keys: Annotated[KeyRing, Depends(verification_key_ring)]) -> OrjsonResponse:
    """List the public keys that access tokens are verified with (RFC 7517)."""
    return OrjsonResponse(keys.jwks(), headers=JWKS_CACHE)


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
    tags=["accounts"],
    status_code=204,
    response_class=Response,
    responses=CHANGE_REFUSALS,
    openapi_extra={"requestBody": {"required": True, "content": {JSON: CHANGE_BODY}}},
)
async def change_password(
    # In this order: who shows no access token is refused before a byte of the body is read.
    service: Annotated[PasswordChange, Depends(password_change)],
    passwords: Annotated[PasswordChangeRequest, Depends(passwords)],
) -> None:
    """Change the caller's password, and end all of the caller's sessions but this one."""
    await service.change(passwords.password, passwords.new_password)
