"""Keeps what was measured last in `results.md`, with the machine and the versions, and draws the chart."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import orjson

from infra.bench import peers
from infra.bench.inputs import FOLDER
from infra.bench.table import Table

HERE = Path(__file__).parent
KEPT = FOLDER / "results.json"
"""The sections as they were measured here, each perhaps on another day."""
OURS = ("pillow", "cykooz-resizer", "isal", "pyspng-seunglab", "zlib-ng", "uvicorn", "fastapi")


def can_be_kept(only: str) -> bool:
    """One section alone is kept beside the others, where they were measured here; else it replaced them."""
    return not only or KEPT.exists()


def keep(section: str, tables: Iterable[Table]) -> None:
    kept = orjson.loads(KEPT.read_bytes()) if KEPT.exists() else {}
    day = datetime.now(UTC).date().isoformat()
    kept[section] = {"day": day, "tables": [_as_json(table) for table in tables]}
    KEPT.parent.mkdir(parents=True, exist_ok=True)
    KEPT.write_bytes(orjson.dumps(kept))
    parts = [
        "# What was measured",
        "By `make bench`; a ratio compares what ran in turn in one run.",
        _machine(),
    ]
    for each in kept.values():
        parts += [Table(**table).markdown() + f"\n\n{each['day']}." for table in each["tables"]]
    (HERE / "results.md").write_text("\n\n".join(parts) + "\n")
    if section == "pictures":
        _draw()


def _as_json(table: Table) -> dict[str, object]:
    return {"title": table.title, "columns": table.columns, "rows": table.rows, "notes": table.notes}


def _machine() -> str:
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "name" in line
        ),
        platform.machine(),
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    ours = ", ".join(f"{name} {version(name)}" for name in OURS)
    others = ", ".join((*(each.replace("==", " ") for each in peers.PACKAGES), peers.SHARP.replace("@", " ")))
    return (
        f"{cpu}, {os.cpu_count()} cores, {memory:.0f} GB; {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}. Ours: {ours}. Others: {others}."
    )


def _draw() -> None:
    try:
        python = peers.python()
    except peers.Missing:
        return
    subprocess.run([python, HERE / "chart.py", KEPT, HERE / "chart.svg"], check=True)
