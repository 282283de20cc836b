"""`make run` as a program of its own, in a folder of its own."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]
READY = "Ctrl-C stops everything."


@dataclass
class Bundle:
    port: int
    folder: Path
    process: subprocess.Popen[str]
    printed: list[str] = field(default_factory=list)

    def wait_for(self, start: str) -> None:
        """Read what it prints up to the line that starts like this."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.printed.append(line.rstrip())
            if line.lstrip().startswith(start):
                return
        raise AssertionError(f"it ended before it printed {start}:\n" + "\n".join(self.printed))

    @property
    def metrics_address(self) -> str:
        """Where the Pushgateway listens: on 9091, or on another where that is taken."""
        [line] = [line for line in self.printed if line.split()[:1] == ["Pushgateway"]]
        return line.split()[1].removeprefix("http://").removesuffix("/metrics")

    def stop(self, number: signal.Signals) -> Stopped:
        """Send the signal; return the exit status and what is still running of all that had been started."""
        started = processes_in(self.folder)
        assert started
        self.process.send_signal(number)
        rest, _ = self.process.communicate(timeout=30)
        self.printed += rest.splitlines()
        return Stopped(self.process.returncode, [each for each in started if is_alive(each)])


@dataclass(frozen=True)
class Stopped:
    status: int
    left_running: list[psutil.Process]


CLEANLY = Stopped(0, [])


def is_alive(process: psutil.Process) -> bool:
    """An ended process stays as a zombie where nothing collects orphans: a container without an init."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def processes_in(folder: Path) -> list[psutil.Process]:
    """Return the program's processes and PostgreSQL's, which is no child of it."""
    return [
        process
        for process in psutil.process_iter(["cmdline", "environ"])
        if any(str(folder) in part for part in process.info["cmdline"] or [])
        or (process.info["environ"] or {}).get("PWD") == str(folder)
    ]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def started(folder: Path, port: int | str) -> Iterator[Bundle]:
    """Start it, and see to it that it is gone at the end of the block."""
    environment = {
        **os.environ,
        "PORT": str(port),
        "PWD": str(folder),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.local"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    bundle = Bundle(int(port) if str(port).isdecimal() else 0, folder, process)
    try:
        yield bundle
    finally:
        if process.poll() is None:
            bundle.stop(signal.SIGINT)


def refused(folder: Path, port: int | str) -> str:
    """Start one that cannot run; return the line that says why."""
    with started(folder, port) as bundle:
        printed, _ = bundle.process.communicate(timeout=30)
    assert bundle.process.returncode == 1
    assert "Traceback" not in printed
    line: str = printed.splitlines()[-1]
    return line
