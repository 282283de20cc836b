"""What the caller's environment asks of `make run`; a wrong value is told in one line."""

from __future__ import annotations

import os
from dataclasses import dataclass

from infra.local.errors import LocalError

DEFAULT_PORT = "8000"


@dataclass(frozen=True)
class GatewayOptions:
    """What is asked of the front door."""

    way: str
    limits: str

    @classmethod
    def from_environment(cls) -> GatewayOptions:
        return cls(_choice("GATEWAY", "runtime", "asgi"), _choice("GATEWAY_LIMITS", "on", "off"))


def _choice(variable: str, default: str, other: str) -> str:
    value = os.environ.get(variable) or default
    if value not in (default, other):
        raise LocalError(f"{variable}={value}: it is {default} or {other}")
    return value


def port_from_environment() -> int:
    port = os.environ.get("PORT", DEFAULT_PORT)
    if not port.isdecimal() or not 1 <= int(port) <= 65535:
        raise LocalError(f"PORT={port} is no port: give a number from 1 to 65535")
    return int(port)
