"""How long a fresh process imports a function, in AWS's runtime client, beside its libraries alone."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from statistics import median

from infra.bench.row import Row
from infra.gateway.functions import read_functions

ROUNDS = 9
RUNTIME = "import awslambdaric"
THIRD_PARTY = """
import sys
before = set(sys.modules)
import functions.{function}.handler
names = [n for n in sys.modules if n not in before and n.split(".")[0] not in ("functions", "shared")]
names = [n for n in names if n.split(".")[0] not in sys.stdlib_module_names and not n.startswith("_")]
print(" ".join(n for n in names if getattr(sys.modules[n], "__spec__", None)))
"""


def measure() -> Iterator[Row]:
    for function in sorted(each.name for each in read_functions()):
        modules = third_party_modules(function)
        floor = f"import importlib\nfor name in {modules!r}: importlib.import_module(name)"
        handler = f"import functions.{function}.handler"
        times: dict[str, list[float]] = {handler: [], floor: []}
        for _ in range(ROUNDS):
            for program in times:
                started = time.perf_counter()
                _run(f"{RUNTIME}\n{program}")
                times[program].append((time.perf_counter() - started) * 1000)
        yield Row(function, median(times[handler]), median(times[floor]), "ms")


def third_party_modules(function: str) -> list[str]:
    """Return what the import of a function's handler loads that is neither ours nor Python's own."""
    return _run(THIRD_PARTY.format(function=function)).split()


def _run(program: str) -> str:
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout
