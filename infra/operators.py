"""What the programs for operators share: 0 when done, 1 and one line when not, 2 for a wrong command line."""

from __future__ import annotations

import logging
import sys
from io import TextIOWrapper

import typer
from sqlalchemy.exc import DBAPIError

from shared.errors import ConfigurationError, DatabaseUnavailable, QueueUnavailable

QUIET = ("passepartout", "aiokafka")
"""Loggers of what is told in the one line."""


class Refused(Exception):
    """Raised when something cannot be done; its text is the one line that the operator is told."""


def program(summary: str) -> typer.Typer:
    return typer.Typer(
        help=summary,
        no_args_is_help=True,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )


def run(app: typer.Typer, name: str) -> None:
    """Run the command line. Whatever is foreseen to fail ends it with status 1 and one line."""
    if isinstance(sys.stdout, TextIOWrapper):
        # One name that a terminal has no letters for is not to hide all that comes after it.
        sys.stdout.reconfigure(errors="backslashreplace")
    for quiet in QUIET:
        logging.getLogger(quiet).addHandler(logging.NullHandler())
    try:
        app()
    except Refused as error:
        sys.exit(f"{name}: {error}")
    except ConfigurationError as error:
        sys.exit(f"configuration: {error}")
    except DatabaseUnavailable as error:
        sys.exit(f"{name}: the database cannot be reached, or is too busy: {_reason(error.__cause__)}")
    except QueueUnavailable as error:
        sys.exit(f"{name}: {error.title}: {_reason(error.__cause__)}")
    except DBAPIError as error:
        sys.exit(f"{name}: the database refused it: {_reason(error)}")


def _reason(error: BaseException | None) -> str:
    """Return the first line of what the driver said; the others are the statement and where to read more."""
    said = getattr(error, "orig", None) or error
    return str(getattr(said, "__cause__", None) or said).partition("\n")[0]
