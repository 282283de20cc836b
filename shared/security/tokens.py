"""The pair of tokens that a sign-in and a refresh are answered with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from pydantic import BaseModel

from shared.security.access_tokens import LIFETIME_SECONDS, AccessTokenIssuer, Identity
from shared.security.refresh_tokens import RefreshToken, RefreshTokens


class TokenResponse(BaseModel):
    """RFC 6749, 5.1, and when the refresh token ends."""

    access_token: str
    token_type: Literal["Bearer"] = "Bearer"
    expires_in: int
    refresh_token: str
    refresh_expires_in: int


@dataclass(frozen=True, slots=True)
class TokenIssuer:
    access_tokens: AccessTokenIssuer
    refresh_tokens: RefreshTokens

    def issue(self, identity: Identity, token: RefreshToken, expires_in: timedelta) -> TokenResponse:
        """Sign a new access token, and write the refresh token, which the session has already made good."""
        return TokenResponse(
            access_token=self.access_tokens.issue(identity),
            expires_in=LIFETIME_SECONDS,
            refresh_token=self.refresh_tokens.encode(token),
            refresh_expires_in=int(expires_in.total_seconds()),
        )
