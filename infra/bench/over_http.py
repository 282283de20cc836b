"""Pictures over HTTP: ours with a token, others without one, on all cores, which they share with the load."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from infra.bench import peers, servers
from infra.bench.engine import OURS
from infra.bench.engine_alone import on_all_cores
from infra.bench.inputs import inputs
from infra.bench.load import Load, Target, load
from infra.bench.table import Table
from infra.local.keys import local_keys
from infra.local.ports import HOST
from shared.images.formats import OutputFormat
from shared.images.options import ProcessingOptions

CONNECTIONS = (2, 8, 32)
COLUMNS = (
    "picture",
    "server",
    *(f"a second, {each} connections" for each in CONNECTIONS),
    "CPU ms",
    "99 % ms",
)


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    source: str
    format: OutputFormat
    at_least: float
    """Times what thumbor does."""


CASES = (
    Case("JPEG 12 MP → JPEG", "jpeg-12mp.jpg", "jpeg", 1.4),
    Case("JPEG 2 MP → JPEG", "jpeg-2mp.jpg", "jpeg", 2.2),
    Case("PNG 4 MP → PNG", "png-4mp.png", "png", 2.5),
)
AT_MOST_OF_THE_ENGINE = 1.10
PICTURES = 60
"""That the engine alone is measured by."""

Server = Callable[[Case], Target]


def measure() -> Iterator[Table]:
    """Yield all that was measured, and what the design asks of it."""
    table = Table(f"HTTP: to 800 px, {os.cpu_count()} cores, 99 % at {CONNECTIONS[-1]} connections", COLUMNS)
    targets = Table("HTTP: what is asked of us", ("picture", "what", "ratio", "limit", ""))
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        os.environ |= local_keys(folder / "keys.json") | {"LOG_LEVEL": "WARNING"}
        found = _servers(opened, table.notes)
        for case in CASES if found else ():
            loads = {
                name: [load(server(case), each) for each in CONNECTIONS] for name, server in found.items()
            }
            table.rows.extend([case.name, name, *_cells(each)] for name, each in loads.items())
            targets.rows.extend(_verdicts(case, loads))
    yield table
    yield targets


def _servers(opened: ExitStack, notes: list[str]) -> dict[str, Server]:
    port, process = opened.enter_context(servers.over_uvicorn())
    door = opened.enter_context(servers.front_door(os.cpu_count() or 1))
    found: dict[str, Server] = {
        OURS.name: _ours(port, process),
        f"{OURS.name}, front door": _ours(door, None),
    }
    try:
        found["thumbor"] = _thumbor(*opened.enter_context(servers.thumbor()))
    except peers.Missing as reason:
        notes.append(f"Without thumbor: {reason}.")
    try:
        found["sharp"] = _sharp(*opened.enter_context(servers.sharp()))
    except peers.Missing as reason:
        notes.append(f"Without {reason}.")
    return found


def _ours(port: int, process: int | None) -> Server:
    headers = {"Authorization": f"Bearer {servers.access_token()}"}

    def target(case: Case) -> Target:
        url = f"http://{HOST}:{port}/file/resize?width=800&format={case.format}"
        return Target(url, process, inputs() / case.source, headers)

    return target


def _thumbor(port: int, process: int) -> Server:
    """It fetches its sources itself, here from a folder."""
    return lambda case: Target(f"http://{HOST}:{port}/unsafe/800x600/{case.source}", process)


def _sharp(port: int, process: int) -> Server:
    def target(case: Case) -> Target:
        return Target(f"http://{HOST}:{port}/?format={case.format}", process, inputs() / case.source)

    return target


def _cells(loads: list[Load]) -> list[str]:
    cpu = [each.cpu_ms for each in loads if each.cpu_ms is not None]
    rates = [f"{each.a_second:.1f}" for each in loads]
    return [*rates, f"{median(cpu):.1f}" if cpu else "", f"{loads[-1].p99_ms:.0f}"]


def _verdicts(case: Case, loads: dict[str, list[Load]]) -> Iterator[list[str]]:
    ours = loads[OURS.name]
    if "thumbor" in loads:
        for connections, one, other in zip(CONNECTIONS, ours, loads["thumbor"], strict=True):
            ratio = one.a_second / other.a_second
            what = f"of thumbor's a second, {connections} connections"
            yield [case.name, what, f"{ratio:.2f}", f"≥ {case.at_least}", _verdict(ratio >= case.at_least)]
    options = ProcessingOptions(width=800, format=case.format)
    _, alone = on_all_cores((inputs() / case.source).read_bytes(), options, PICTURES)
    ratio = median(each.cpu_ms or 0.0 for each in ours) / alone
    met = _verdict(ratio <= AT_MOST_OF_THE_ENGINE)
    what = "CPU, of the engine alone on all cores"
    yield [case.name, what, f"{ratio:.2f}", f"≤ {AT_MOST_OF_THE_ENGINE:.2f}", met]


def _verdict(is_met: bool) -> str:
    return "met" if is_met else "missed"
