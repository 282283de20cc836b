"""How long a new environment takes to ask for its first event, beside one that only loads the libraries."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from infra.bench.imports import third_party_modules
from infra.bench.row import Row
from infra.gateway.functions import Function, read_functions
from infra.gateway.invocations import FunctionQueue
from infra.gateway.limits import GatewayLimits
from infra.gateway.processes import EnvironmentProcess
from infra.gateway.runtime_api import RuntimeApi
from infra.gateway.runtime_server import RuntimeServer
from infra.local.keys import local_keys

ROUNDS = 15
FLOOR = """
import importlib
for name in {modules!r}:
    importlib.import_module(name)
def handler(event, context):
    return None
"""


def measure() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= local_keys(folder / "keys.json") | {"DATABASE_URL": "postgresql://localhost/bench"}
        os.environ["PYTHONPATH"] = name
        for function in read_functions():
            module = f"floor_{function.name}"
            modules = third_party_modules(function.name)
            (folder / f"{module}.py").write_text(FLOOR.format(modules=modules))
            ours, floor = asyncio.run(_in_turn(function, Function(function.name, module=module)))
            yield Row(function.name, ours, floor, "ms")


async def _in_turn(*functions: Function) -> list[float]:
    """Return the median milliseconds of each, run A B A B: a machine's speed drifts."""
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(ROUNDS):
        for function, measured in zip(functions, times, strict=True):
            measured.append(await _milliseconds(function))
    return [median(measured) for measured in times]


async def _milliseconds(function: Function) -> float:
    limits = GatewayLimits()
    queue = FunctionQueue(function, limits)
    server = RuntimeServer(RuntimeApi(limits))
    process = EnvironmentProcess(queue, 0, server, lambda text: None)
    started = time.perf_counter()
    running = asyncio.create_task(process.run())
    await queue.first_ready
    milliseconds = (time.perf_counter() - started) * 1000
    await process.stop()
    await running
    await server.close()
    return milliseconds
