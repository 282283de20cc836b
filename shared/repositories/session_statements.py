"""The statements that start and rotate a session, and record it in the audit trail in the same breath.

Each is made once: to build one takes longer than to run it.
"""

from __future__ import annotations

from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    CTE,
    BigInteger,
    ColumnElement,
    Executable,
    Select,
    bindparam,
    case,
    delete,
    exists,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from shared.models.identity.attempt import Attempt
from shared.models.identity.audit_event import Event, Outcome
from shared.models.identity.session import Session
from shared.models.identity.user import User
from shared.repositories.audit_trail import recorded
from shared.security.refresh_tokens import GRACE, LIFETIME, SESSION_LIFETIME

STATE = (
    Session.id,
    Session.user_id,
    Session.counter,
    Session.expires_at,
    Session.revoked_at.is_not(None).label("revoked"),
    func.now().label("now"),
)


def live() -> ColumnElement[bool]:
    return Session.revoked_at.is_(None) & (Session.expires_at > func.now())


@cache
def started() -> Executable:
    """Take `owner_id`, `known_hash`, `tried_account` and the columns of an origin."""
    unchanged = (User.password_hash == bindparam("known_hash")) & User.disabled_at.is_(None)
    owner = (
        select(User.id, func.now() + LIFETIME)
        .where(User.id == bindparam("owner_id"), unchanged)
        .with_for_update(read=True)
        .cte("owner")
    )
    session = (
        insert(Session)
        .from_select([Session.user_id, Session.expires_at], select(owner))
        .returning(*STATE)
        .cte("started")
    )
    tried = Attempt.account == bindparam("tried_account")
    forgotten = delete(Attempt).where(tried, exists().select_from(owner)).cte("forgotten")
    return _state(Event.LOGIN, literal(Outcome.SUCCEEDED.value), session).add_cte(forgotten)


@cache
def rotated() -> Executable:
    """Take `session_id`, `shown_counter` and the columns of an origin."""
    shown = bindparam("shown_counter", type_=BigInteger())
    current = Session.counter == shown
    just_before = (Session.counter == shown + 1) & (Session.refreshed_at > func.now() - GRACE)
    session = (
        update(Session)
        .where(Session.id == bindparam("session_id"), live())
        .values(
            counter=case((current, Session.counter + 1), else_=Session.counter),
            refreshed_at=case((current, func.now()), else_=Session.refreshed_at),
            expires_at=case((current, _next_expiry()), else_=Session.expires_at),
            revoked_at=case((current | just_before, None), else_=func.now()),
        )
        .returning(*STATE, (Session.refreshed_at == func.now()).label("moved"))
        .cte("rotated")
    )
    outcome = case(
        (session.c.revoked, Outcome.REFRESH_TOKEN_REUSED),
        (session.c.moved, Outcome.SUCCEEDED),
        else_=Outcome.RETRIED,
    )
    return _state(Event.REFRESH, outcome, session)


@cache
def found() -> Executable:
    """Take `session_id`."""
    return select(*STATE).where(Session.id == bindparam("session_id"))


def _state(event: Event, outcome: ColumnElement[str], changed: CTE) -> Select[Any]:
    return select(*(changed.c[column.key] for column in STATE)).add_cte(recorded(event, outcome, changed))


def _next_expiry() -> ColumnElement[datetime]:
    return func.least(func.now() + LIFETIME, Session.created_at + SESSION_LIFETIME)
