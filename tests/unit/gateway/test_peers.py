from __future__ import annotations

import os
import socket

import pytest

from infra.gateway.peers import is_ours


def test_connection_of_this_process_is_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        with socket.create_connection(listener.getsockname()) as client:
            ends = client.getsockname(), client.getpeername()
            assert is_ours(*ends)
            assert not is_ours(ends[1], ends[0][:1] + (1,))
            monkeypatch.setattr(os, "geteuid", lambda: 4_000_000_000)
            assert not is_ours(*ends)


def test_connection_that_the_system_does_not_list_is_not_ours() -> None:
    assert not is_ours(("127.0.0.1", 1), ("127.0.0.1", 2))
