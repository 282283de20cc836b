from __future__ import annotations

import unicodedata
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.models.identity.user import User
from shared.types import IGNORABLE


class Users:
    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def add(self, username: str, password_hash: str) -> UUID | None:
        """Store a user and return the id, or None when the name is taken; of several at once one succeeds."""
        statement = (
            insert(User)
            .values(username=username, username_folded=fold(username), password_hash=password_hash)
            .on_conflict_do_nothing(index_elements=[User.username_folded])
            .returning(User.id)
        )
        return await self._session.scalar(statement)

    async def by_username(self, username: str) -> User | None:
        statement = select(User).where(User.username_folded == fold(username))
        return await self._session.scalar(statement)


def fold(username: str) -> str:
    """Return the form that names are compared in: as NFKC_Casefold (Unicode 3.13, R5 and D146)."""
    shown = IGNORABLE.sub("", unicodedata.normalize("NFKD", username))
    return unicodedata.normalize("NFKC", shown.casefold())
