"""Whose the other end of a connection on this machine is."""

from __future__ import annotations

import os
import socket
import struct
from pathlib import Path

from infra.gateway.environments import Address

CONNECTIONS = Path("/proc/net/tcp")
"""Linux's table of them: https://docs.kernel.org/networking/proc_net_tcp.html"""
LOCAL, REMOTE, USER = 1, 2, 7
"""Its columns."""


def is_ours(client: Address, server: Address) -> bool:
    """Return whether the process that connected from `client` on this machine runs as our own user."""
    ends = _as_listed(client), _as_listed(server)
    rows = (line.split() for line in CONNECTIONS.read_text().splitlines())
    return any((row[LOCAL], row[REMOTE]) == ends and row[USER] == str(os.geteuid()) for row in rows)


def _as_listed(address: Address) -> str:
    host, port = address
    # The kernel prints the address as one number of the machine's own byte order.
    (number,) = struct.unpack("=I", socket.inet_aton(host))
    return f"{number:08X}:{port:04X}"
