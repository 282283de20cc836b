"""What we start ends with us, even where we are killed and can stop nothing any more (prctl(2): Linux)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from infra.local.errors import LocalError

UNLESS_WE_ARE_GONE = 'test "$PPID" = "$0" && exec "$@"'
"""For a shell: we may have been killed just before the kernel was asked."""


def ending_with_us(command: Sequence[str]) -> list[str]:
    """Return the command of a child which the kernel kills when the thread that started it has ended.

    No `preexec_fn` asks the kernel: with one, Python copies the whole of this process for each start (fork,
    not vfork), and serves nobody meanwhile. Raises LocalError where there is no such program.
    """
    for program in ("setpriv", command[0]):
        if shutil.which(program) is None:
            raise LocalError(f"{program} is not installed")
    shell = ["sh", "-c", UNLESS_WE_ARE_GONE, str(os.getpid()), *command]
    return ["setpriv", "--pdeathsig", "KILL", *shell]


@contextmanager
def interrupted_with_us(pid: int) -> Iterator[None]:
    """Have a process that is no child of ours interrupted at the end of the block, or at ours."""
    # A shell that waits for the end of its standard input, of which only we hold the other end.
    command = ["sh", "-c", 'read -r _; kill -INT "$1"', "sh", str(pid)]
    watch = subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        yield
    finally:
        watch.communicate()
