"""Sockets on this machine's own address, taken before anything is started on them."""

import socket

from infra.local.errors import LocalError

HOST = "127.0.0.1"


def listen(port: int) -> socket.socket:
    """Return a socket that listens on the port; what connects before it is served waits.

    Raises LocalError when the port is taken.
    """
    # asyncio sets TCP_NODELAY only on a socket that names its protocol; else an answer in two writes waits
    # 40 ms for an acknowledgement.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen(128)
    except (OSError, OverflowError):
        listener.close()
        raise LocalError(
            f"port {port} is taken: stop what uses it, or choose another: make run PORT={port + 1}"
        ) from None
    return listener


def free_port(preferred: int) -> int:
    """Return the preferred port where it is free, else any that is."""
    for port in (preferred, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise LocalError("this machine has no free port")
