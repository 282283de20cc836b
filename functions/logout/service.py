from __future__ import annotations

from dataclasses import dataclass

from shared.errors import RefreshTokenInvalid
from shared.models.identity.audit_event import Event
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
            end = repositories.sessions.end_all if everywhere else repositories.sessions.end
            if user_id := await end(token.session_id):
                event = Event.LOGOUT_EVERYWHERE if everywhere else Event.LOGOUT
                await repositories.audit_trail.record(event, user_id=user_id, session_id=token.session_id)
