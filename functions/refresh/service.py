from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from shared.errors import NotFound, RefreshTokenExpired, RefreshTokenInvalid, RefreshTokenReused
from shared.metrics.instruments import REFRESHES
from shared.metrics.measured import count_outcomes
from shared.models.identity.audit_event import Event, Outcome
from shared.repositories.sessions import LiveSession, SessionState
from shared.repositories.unit_of_work import UnitOfWork
from shared.security.access_tokens import Identity
from shared.security.refresh_tokens import RefreshToken
from shared.security.tokens import TokenIssuer, TokenResponse


@dataclass(frozen=True, slots=True)
class Refresh:
    unit_of_work: UnitOfWork
    issuer: TokenIssuer

    @count_outcomes(REFRESHES, RefreshTokenInvalid, RefreshTokenExpired, RefreshTokenReused)
    async def refresh(self, refresh_token: str) -> TokenResponse:
        """Replace the pair of tokens.

        Raises RefreshTokenReused for a token whose successor has been used or is older than the grace; the
        session has then been ended, and that is committed.
        """
        token = self.issuer.refresh_tokens.decode(refresh_token)
        session = await self._rotate(token)
        if session.revoked:
            raise RefreshTokenReused("Sign in again.")
        identity = Identity(session.user_id, session.id)
        return self.issuer.issue(identity, session.token, session.expires_in)

    async def _rotate(self, token: RefreshToken) -> SessionState:
        async with self.unit_of_work(atomic=False) as repositories:
            session = await repositories.sessions.rotate(token)
            if session is not None:
                return session
            ended = await repositories.sessions.find(token.session_id)
            is_expired = ended is not None and not ended.revoked
            await repositories.audit_trail.record(
                Event.REFRESH,
                Outcome.REFRESH_TOKEN_EXPIRED if is_expired else Outcome.REFRESH_TOKEN_INVALID,
                user_id=ended.user_id if ended else None,
                session_id=token.session_id,
            )
        if is_expired:
            raise RefreshTokenExpired("Sign in again.")
        raise RefreshTokenInvalid("Its session has ended. Sign in again.")


@dataclass(frozen=True, slots=True)
class OwnSessions:
    """The caller's own: whoever's session has ended is told so, though the access token be good still."""

    unit_of_work: UnitOfWork
    caller: Identity

    async def list(self) -> list[LiveSession]:
        async with self.unit_of_work() as repositories:
            await repositories.sessions.demand_live(self.caller.session_id)
            return await repositories.sessions.list_live(self.caller.user_id)

    async def end(self, session_id: UUID) -> None:
        """End one. Raises NotFound when it is not live, or somebody else's: these look the same."""
        async with self.unit_of_work() as repositories:
            await repositories.sessions.demand_live(self.caller.session_id)
            ended = await repositories.sessions.end_of_user(session_id, self.caller.user_id)
            if ended:
                await repositories.audit_trail.record(
                    Event.SESSION_END, user_id=self.caller.user_id, session_id=session_id
                )
        if not ended:
            raise NotFound(f"You have no live session {session_id}.")
