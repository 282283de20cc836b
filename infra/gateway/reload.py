"""Has functions load their code anew when it changes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Mapping
from pathlib import Path

from watchfiles import PythonFilter, awatch

from infra.gateway.processes import ROOT, Processes

FUNCTIONS, SHARED = ROOT / "functions", ROOT / "shared"

logger = logging.getLogger("passepartout.gateway")


async def reload_on_change(processes: Mapping[str, Processes]) -> None:
    """Watch the sources until cancelled."""
    async with asyncio.TaskGroup() as replacing:
        async for changes in awatch(FUNCTIONS, SHARED, watch_filter=PythonFilter()):
            names = changed_functions((Path(path) for _, path in changes), processes)
            logger.info("the code of %s has changed: loaded anew", ", ".join(sorted(names)))
            for name in names:
                # None waits for another, which may be at work for its whole time-out.
                replacing.create_task(processes[name].replace())


def changed_functions(paths: Iterable[Path], functions: Iterable[str]) -> set[str]:
    """Return the functions that these files are of: all of them for a file of `shared/`."""
    known, changed = set(functions), set()
    for path in paths:
        if path.is_relative_to(SHARED):
            return known
        changed.add(path.relative_to(FUNCTIONS).parts[0])
    return changed & known
