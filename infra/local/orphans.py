"""What we start ends with us, even where we are killed and can stop nothing any more (prctl(2): Linux)."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

PR_SET_PDEATHSIG = 1

_prctl = ctypes.CDLL(None).prctl


def ends_with_us() -> Callable[[], None]:
    """Return the `preexec_fn` of a child: the kernel kills it when this thread's process has ended."""
    parent = os.getpid()

    def ask_the_kernel() -> None:
        _prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return ask_the_kernel


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
