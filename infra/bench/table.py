from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from infra.bench.row import Row


@dataclass(frozen=True, slots=True)
class Table:
    title: str
    columns: Sequence[str]
    rows: list[list[str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What could not be measured, and why."""

    def markdown(self) -> str:
        lines = [self.columns, ["---"] * len(self.columns), *self.rows]
        table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
        return "\n\n".join((f"## {self.title}", table, *self.notes))


def table_of(title: str, rows: Iterable[Row]) -> Table:
    cells = (
        [row.what, f"{row.ours:.1f} {row.unit}", f"{row.against:.1f}", f"{row.ratio:.2f}"] for row in rows
    )
    return Table(title, ("what", "ours", "against", "ratio"), list(cells))
