from __future__ import annotations

import unicodedata
from functools import cache
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, bindparam, func, null, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.models.identity.user import User
from shared.types import IGNORABLE


@cache
def _by_username() -> Select[User]:
    """Made once: to build a statement takes longer than to run it."""
    return select(User).where(User.username_folded == bindparam("folded"))


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
        return await self._session.scalar(_by_username(), {"folded": fold(username)})

    async def by_id(self, user_id: UUID) -> User | None:
        return await self._session.get(User, user_id)

    async def replace_password(self, user_id: UUID, known_hash: str, password_hash: str) -> bool:
        """Store the new hash. False when the known one is no longer the user's, or the user is disabled."""
        unchanged = (User.password_hash == known_hash) & User.disabled_at.is_(None)
        return await self._update((User.id == user_id) & unchanged, password_hash=password_hash)

    async def set_password(self, user_id: UUID, password_hash: str) -> None:
        await self._update(User.id == user_id, password_hash=password_hash)

    async def disable(self, user_id: UUID) -> None:
        """From when this is stored no session starts; the user's are for the caller to end after it."""
        await self._update((User.id == user_id) & User.disabled_at.is_(None), disabled_at=func.now())

    async def enable(self, user_id: UUID) -> None:
        await self._update(User.id == user_id, disabled_at=null())

    async def _update(self, which: ColumnElement[bool], **values: Any) -> bool:
        statement = update(User).where(which).values(**values).returning(User.id)
        return await self._session.scalar(statement) is not None


def fold(username: str) -> str:
    """Return the form that names are compared in: as NFKC_Casefold (Unicode 3.13, R5 and D146)."""
    shown = IGNORABLE.sub("", unicodedata.normalize("NFKD", username))
    return unicodedata.normalize("NFKC", shown.casefold())
