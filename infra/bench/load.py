"""Load from wrk: requests a second that were answered with a picture, and the server's CPU for each."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from infra.bench.inputs import FOLDER
from infra.bench.peers import Missing

SECONDS = 8
SCRIPT = """
local file = io.open({body!r}, "rb")
wrk.method = "POST"
wrk.body = file:read("*a")
file:close()
{headers}
"""
COUNTS = {
    "requests": r"(\d+) requests in",
    "seconds": r"requests in ([\d.]+)s",
    "refused": r"Non-2xx.*: (\d+)",
}
LATENCY = r"99%\s+([\d.]+)(us|ms|s)"
MILLISECONDS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True)
class Load:
    a_second: float
    cpu_ms: float | None
    """Of all of the server's processes, a picture; None where they are ours too."""
    p99_ms: float


@dataclass(frozen=True, slots=True)
class Target:
    url: str
    process: int | None
    body: Path | None = None
    headers: Mapping[str, str] | None = None


def load(target: Target, connections: int) -> Load:
    """Raises Missing where there is no wrk."""
    if not shutil.which("wrk"):
        raise Missing("wrk is not installed; on Debian: apt-get install wrk")
    command = ["wrk", "--threads", "1", "--latency", "--timeout", "60s", "--connections", str(connections)]
    if target.body:
        command += ["--script", str(_script(target.body, target.headers or {}))]
    before = _cpu_seconds(target.process)
    ran = subprocess.run([*command, "--duration", f"{SECONDS}s", target.url], capture_output=True, text=True)
    if ran.returncode:
        raise RuntimeError(f"wrk to {target.url}: {ran.stderr.strip()}")
    used = _cpu_seconds(target.process) - before
    counts = {name: float((re.findall(pattern, ran.stdout) or ["0"])[0]) for name, pattern in COUNTS.items()}
    answered = max(1.0, counts["requests"] - counts["refused"])
    [(p99, unit)] = re.findall(LATENCY, ran.stdout)
    cpu = used * 1000 / answered if target.process else None
    return Load(answered / counts["seconds"], cpu, float(p99) * MILLISECONDS[unit])


def _script(body: Path, headers: Mapping[str, str]) -> Path:
    lines = "\n".join(f"wrk.headers[{name!r}] = {value!r}" for name, value in headers.items())
    script = FOLDER / "post.lua"
    script.write_text(SCRIPT.format(body=str(body), headers=lines))
    return script


def _cpu_seconds(process: int | None) -> float:
    if process is None:
        return 0.0
    root = psutil.Process(process)
    times = [each.cpu_times() for each in (root, *root.children(recursive=True))]
    return sum(time.user + time.system for time in times)
