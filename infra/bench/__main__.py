"""Ratios measured in one run on this machine: `make bench`."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table as Printed

from infra.bench import (
    burst,
    cold_starts,
    front_door,
    imports,
    logins,
    memory,
    over_http,
    pictures,
    queue,
    results,
)
from infra.bench.row import Row
from infra.bench.table import Table, table_of


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    measure: Callable[[], Iterable[Table]]


def _rows(title: str, measure: Callable[[], Iterable[Row]]) -> Iterator[Table]:
    yield table_of(title, measure())


def _section(name: str, title: str, measure: Callable[[], Iterable[Row]]) -> Section:
    return Section(name, partial(_rows, title, measure))


SECTIONS = (
    Section("pictures", pictures.measure),
    Section("http", over_http.measure),
    Section("memory", memory.measure),
    Section("burst", burst.measure),
    _section("logins", "Sign-in: ours against what it is held to", logins.measure),
    _section("imports", "Imports: a fresh process of ours against its libraries alone", imports.measure),
    _section(
        "cold-starts",
        "Cold starts: spawn to first event, of ours against its libraries alone",
        cold_starts.measure,
    ),
    Section("queue", queue.measure),
    _section("front-door", "Front door: ours in the runtime client against uvicorn", front_door.measure),
)


def main(
    only: Annotated[str, typer.Option(help=f"One of: {', '.join(one.name for one in SECTIONS)}.")] = "",
) -> None:
    """Print each table as soon as it has been measured, and keep it in infra/bench/results.md.

    One section alone is kept there only beside those of a whole run on this machine.
    """
    if only and only not in {section.name for section in SECTIONS}:
        raise typer.BadParameter(f"there is no {only}")
    # The image has its bytecode: without this, each process would compile the sources anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    console, is_kept = Console(), results.can_be_kept(only)
    for section in SECTIONS:
        if only in ("", section.name):
            measured = list(section.measure())
            for table in measured:
                console.print(_printed(table))
            if is_kept:
                results.keep(section.name, measured)


def _printed(table: Table) -> Printed:
    printed = Printed(*table.columns, title=table.title, title_justify="left", caption="\n".join(table.notes))
    for row in table.rows:
        printed.add_row(*row)
    return printed


if __name__ == "__main__":
    typer.run(main)
