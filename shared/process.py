"""The process that this is."""

from __future__ import annotations

import os
from pathlib import Path


def seconds_since_start() -> float | None:
    """Return the age of this process; None where there is no /proc (proc(5))."""
    try:
        # The program's name, in parentheses, may hold spaces; the start is the 20th field after it.
        start_ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        uptime = float(Path("/proc/uptime").read_text().split()[0])
    except OSError:
        return None
    return uptime - start_ticks / os.sysconf("SC_CLK_TCK")
