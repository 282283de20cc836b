"""What an operator gives: names, times, and passwords, no arguments, as all see those of a process."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import typer
from pydantic import TypeAdapter, ValidationError

from infra.operators import Refused
from shared.security.new_passwords import NewPassword
from shared.security.passwords import MAXIMUM_CHARACTERS
from shared.types import Username

USERNAME: TypeAdapter[str] = TypeAdapter(Username)
PASSWORD: TypeAdapter[str] = TypeAdapter(NewPassword)
MAXIMUM_BYTES = 8 * MAXIMUM_CHARACTERS


def checked_username(text: str) -> str:
    """Return the name as it is stored. Raises Refused when no user can have it."""
    return _checked("the username", USERNAME, text)


def checked_time(text: str) -> datetime:
    """Return the time; without an offset it is UTC. Raises BadParameter when it is none."""
    try:
        time = datetime.fromisoformat(text)
        return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(f"{text!r} is no date-time of ISO 8601") from None


def read_password() -> str:
    """Ask for a password, twice; or read it from standard input, where that is no terminal.

    Raises Refused, never with the password in the text.
    """
    if sys.stdin.isatty():
        text: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    else:
        text = _one_line(sys.stdin.buffer.read(MAXIMUM_BYTES + 1))
    return _checked("the password", PASSWORD, text)


def _one_line(given: bytes) -> str:
    line = given.removesuffix(b"\n").removesuffix(b"\r")
    if len(given) > MAXIMUM_BYTES or b"\n" in line:
        raise Refused("the password: standard input has more than one line of it")
    try:
        return line.decode()
    except UnicodeDecodeError:
        raise Refused("the password: standard input is not UTF-8") from None


def _checked(what: str, rule: TypeAdapter[str], text: str) -> str:
    try:
        return rule.validate_python(text)
    except ValidationError as error:
        [fault] = error.errors(include_input=False, include_url=False)
        raise Refused(f"{what}: {fault['msg'].removeprefix('Value error, ')}") from None
