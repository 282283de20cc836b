"""Ratios measured in one run on this machine: `make bench`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from infra.bench import cold_starts, front_door, imports, logins, pictures
from infra.bench.row import Row


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    rows: Iterable[Row]


def main(only: Annotated[str, typer.Option(help="Measure what has this word in its title.")] = "") -> None:
    """Print each table as soon as it has been measured."""
    console = Console()
    sections = [
        Section("Pictures: CPU of ours against Pillow decoding in full, Lanczos", pictures.measure()),
        Section("Logins: a second of ours against argon2 alone, on all cores", logins.measure()),
        Section("Imports: a fresh process of ours against its libraries alone", imports.measure()),
        Section(
            "Cold starts: spawn to first event, of ours against its libraries alone", cold_starts.measure()
        ),
        Section("Front door: ours in the runtime client against uvicorn", front_door.measure()),
    ]
    for section in sections:
        if only.lower() not in section.title.lower():
            continue
        table = Table("what", "ours", "against", "ratio", title=section.title, title_justify="left")
        for row in section.rows:
            table.add_row(row.what, f"{row.ours:.1f} {row.unit}", f"{row.against:.1f}", f"{row.ratio:.2f}")
        console.print(table)


if __name__ == "__main__":
    typer.run(main)
