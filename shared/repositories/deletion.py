from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute


async def delete_oldest(
    session: AsyncSession,
    key: InstrumentedAttribute[Any],
    at: InstrumentedAttribute[Any],
    before: ColumnElement[Any],
    at_most: int,
) -> int:
    """Delete the rows whose `at` lies before that time, the oldest first, and return how many.

    Rows that somebody has locked, such as a second janitor, are left to them.
    """
    due = select(key).where(at < before).order_by(at).limit(at_most).with_for_update(skip_locked=True)
    named = due.cte("due")
    statement = delete(key.class_).where(key.in_(select(named.c[key.key]))).returning(key)
    return len((await session.execute(statement)).all())
