"""`python -m infra.accounts COMMAND`: 0 when done, 1 and one line when not, 2 for a wrong command line."""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Annotated, TypeVar
from uuid import UUID

import typer

from infra.accounts.database import open_accounts
from infra.accounts.inputs import checked_time, checked_username, read_password
from infra.accounts.service import Accounts
from infra.operators import program, run
from shared.models.identity.audit_event import Event, Outcome
from shared.repositories.audit_trail import AuditFilter

MAXIMUM_AUDITED = 10_000

Result = TypeVar("Result")
User = Annotated[str, typer.Argument(metavar="USERNAME", parser=checked_username, show_default=False)]

app = program("Users and their sessions, for operators. DATABASE_URL says where they are.")


@app.callback()
def choose(
    context: typer.Context,
    local: Annotated[
        bool, typer.Option("--local", help="Of the `make run` that runs in this folder.")
    ] = False,
) -> None:
    context.obj = local


@app.command()
def add(context: typer.Context, username: User) -> None:
    """Add a user; the password is asked for, or read from standard input."""
    password = read_password()
    user_id = _do(context, lambda accounts: accounts.add(username, password))
    print(f"added {username}, {user_id}")


@app.command()
def disable(context: typer.Context, username: User) -> None:
    """Keep a user from signing in, and end all sessions."""
    ended = _do(context, lambda accounts: accounts.disable(username))
    print(f"disabled {username}, {_sessions(ended)} ended")


@app.command()
def enable(context: typer.Context, username: User) -> None:
    """Let a disabled user sign in again."""
    _do(context, lambda accounts: accounts.enable(username))
    print(f"enabled {username}")


@app.command()
def sessions(context: typer.Context, username: User) -> None:
    """List a user's live sessions: id, begin, last refresh and end; the last refreshed first."""
    for each in _do(context, lambda accounts: accounts.sessions(username)):
        times = (each.created_at, each.refreshed_at, each.expires_at)
        print(each.id, *(time.isoformat(timespec="seconds") for time in times))


@app.command()
def revoke(
    context: typer.Context,
    username: User,
    session: Annotated[UUID | None, typer.Argument(help="One of them; else all.", show_default=False)] = None,
) -> None:
    """End a user's sessions, all or one of them."""
    ended = _do(context, lambda accounts: accounts.revoke(username, session))
    print(f"{_sessions(ended)} of {username} ended")


@app.command()
def password(context: typer.Context, username: User) -> None:
    """Give a user another password, asked for or read from standard input, and end all sessions."""
    given = read_password()
    ended = _do(context, lambda accounts: accounts.set_password(username, given))
    print(f"{username} has another password, {_sessions(ended)} ended")


@app.command()
def audit(
    context: typer.Context,
    username: Annotated[
        str | None,
        typer.Argument(
            metavar="USERNAME",
            parser=checked_username,
            help="Of this one; else of all.",
            show_default=False,
        ),
    ] = None,
    event: Annotated[Event | None, typer.Option(help="What was done, or tried.")] = None,
    outcome: Annotated[Outcome | None, typer.Option(help="What came of it.")] = None,
    before: Annotated[
        datetime | None, typer.Option(parser=checked_time, metavar="TIME", help="Only what was before it.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=MAXIMUM_AUDITED, help="How many, at most.")] = 50,
) -> None:
    """Show what happened to a user's account, or to all, the newest first.

    Each line: when, what, the outcome, whose account, by whom, the session, the address, the request id,
    and what the client calls itself. TIME is ISO 8601: the last line's shows the next page.
    """
    only = AuditFilter(event=event, outcome=outcome, before=before)
    for each in _do(context, lambda accounts: accounts.audit(username, only, limit)):
        shown = each._replace(whose=each.whose and shlex.quote(each.whose))
        when = each.at.isoformat(timespec="microseconds")
        print(when, *("-" if part is None else part for part in shown[1:]))


def _do(context: typer.Context, what: Callable[[Accounts], Awaitable[Result]]) -> Result:
    async def do() -> Result:
        async with open_accounts(local=context.obj) as accounts:
            return await what(accounts)

    return asyncio.run(do())


def _sessions(count: int) -> str:
    return f"{count} session" if count == 1 else f"{count} sessions"


def main() -> None:
    run(app, "accounts")


if __name__ == "__main__":
    main()
