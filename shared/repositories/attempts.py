from __future__ import annotations

from datetime import timedelta
from functools import cache

from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    Interval,
    bindparam,
    case,
    cast,
    delete,
    extract,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from shared.errors import TooManyAttempts
from shared.models.identity.attempt import Attempt
from shared.repositories.deletion import delete_oldest

FREE_FAILURES = 5
"""Those that cost no wait: what a person mistypes."""
FIRST_DELAY = timedelta(seconds=1)
"""It doubles with each failure more."""
MAXIMUM_DELAY = timedelta(minutes=15)
"""Some 100 guesses a day, what NIST SP 800-63B, 3.2.2, allows in a row."""
NOW = func.clock_timestamp()
"""When a row is had; the transaction may have begun before the last failure."""
DOUBLINGS = 20
"""More than lead to MAXIMUM_DELAY: what is doubled stays a number that an interval can hold."""


def _delay(failures: ColumnElement[int]) -> ColumnElement[timedelta]:
    doublings = func.least(failures - FREE_FAILURES - 1, DOUBLINGS)
    grown = func.least(func.power(2, doublings) * bindparam("first_delay", type_=Interval()), MAXIMUM_DELAY)
    return case((failures <= FREE_FAILURES, timedelta()), else_=grown)


# Each is made once: to build a statement takes longer than to run it.


@cache
def _take() -> Executable:
    first = insert(Attempt).values(account=bindparam("tried"), failures=1, last_at=NOW, blocked_until=NOW)
    return (
        first.on_conflict_do_update(
            index_elements=[Attempt.account],
            set_={
                "failures": Attempt.failures + 1,
                "last_at": NOW,
                "blocked_until": NOW + _delay(Attempt.failures + 1),
            },
            where=(Attempt.failures < FREE_FAILURES) | (Attempt.blocked_until <= NOW),
        )
        .returning(Attempt.failures)
        .execution_options(dml_strategy="raw")
    )


@cache
def _clear() -> Executable:
    return delete(Attempt).where(Attempt.account == bindparam("tried"))


class Attempts:
    """Passwords tried for an account. Time is judged by the database, whose clock all share."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def take(self, account: bytes) -> int:
        """Count a failure before the password is looked at, and return how many there are by now.

        Raises TooManyAttempts while the account is blocked, and counts nothing. It is one atomic
        statement: of any number at once each finds what the one before has made of the row.
        """
        failures: int | None = await self._session.scalar(
            _take(), {"tried": account, "first_delay": FIRST_DELAY}
        )
        if failures is None:
            seconds = await self._seconds_blocked(account)
            raise TooManyAttempts(f"Try again in {seconds} s.", retry_after=seconds)
        return failures

    async def give_back(self, account: bytes, failures: int) -> None:
        """Undo what `take` has counted, where the password was not looked at and no other came in between."""
        mine = (Attempt.account == account) & (Attempt.failures == failures)
        statement = update(Attempt).where(mine)
        await self._session.execute(statement.values(failures=failures - 1, blocked_until=NOW))

    async def tell_refusal(self, account: bytes) -> bool:
        """Return whether this is the first refusal of the block, of any number at once."""
        untold = Attempt.refusal_told_at.is_(None) | (Attempt.refusal_told_at < Attempt.last_at)
        statement = update(Attempt).where(Attempt.account == account, untold).values(refusal_told_at=NOW)
        return await self._session.scalar(statement.returning(Attempt.account)) is not None

    async def clear(self, account: bytes) -> None:
        await self._session.execute(_clear(), {"tried": account})

    async def delete_forgotten(self, retention: timedelta, at_most: int) -> int:
        """Delete what has not been tried for that long, the oldest first, and return how many."""
        before = NOW - retention
        return await delete_oldest(self._session, Attempt.account, Attempt.last_at, before, at_most)

    async def _seconds_blocked(self, account: bytes) -> int:
        """Return the whole seconds until the account is free; 1 also when it has just become so."""
        left = func.ceil(extract("epoch", Attempt.blocked_until - NOW))
        statement = select(cast(func.greatest(left, 1), Integer)).where(Attempt.account == account)
        return await self._session.scalar(statement) or 1
