"""Demands an access token of the caller (RFC 6750)."""

from typing import Annotated

from fastapi import Depends, Request
from fastapi.security import OAuth2PasswordBearer

from shared.errors import InvalidToken
from shared.on_startup.token_verifier import token_verifier
from shared.security.access_tokens import AccessTokenVerifier, Identity

bearer = OAuth2PasswordBearer(tokenUrl="/auth/login", auto_error=False)


async def authenticated(
    request: Request,
    token: Annotated[str | None, Depends(bearer)],
    verifier: Annotated[AccessTokenVerifier, Depends(token_verifier)],
) -> Identity:
    """The caller, for an endpoint to depend on. Raises InvalidToken before a byte of the body is read."""
    if len(request.headers.getlist("Authorization")) > 1:
        # Which of two counts must not depend on who reads them.
        raise InvalidToken("The request has more than one Authorization header.")
    if not token:
        raise InvalidToken("The request has no access token: Authorization: Bearer <token>.")
    return verifier.verify(token)
