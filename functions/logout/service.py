from __future__ import annotations

from dataclasses import dataclass

from shared.errors import RefreshTokenInvalid
from shared.repositories.unit_of_work import UnitOfWork
from shared.security.refresh_tokens import RefreshTokens


@dataclass(frozen=True, slots=True)
class Logout:
    unit_of_work: UnitOfWork
    refresh_tokens: RefreshTokens

    async def logout(self, refresh_token: str, *, everywhere: bool) -> None:
        """End the token's session, or all of its user's; an invalid token ends nothing (RFC 7009, 2.2)."""
        try:
            token = self.refresh_tokens.decode(refresh_token)
        except RefreshTokenInvalid:
            return
        async with self.unit_of_work() as repositories:
            if everywhere:
                await repositories.sessions.end_all(token.session_id)
            else:
                await repositories.sessions.end(token.session_id)
