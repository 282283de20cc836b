"""Where a request comes from, as far as it can be told and kept."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Literal

from fastapi import Request

from shared.logging import request_id

MAXIMUM_USER_AGENT_CHARACTERS = 256

Address = IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class Origin:
    """By default nobody's: work of our own, which no request asked for."""

    actor: Literal["client", "operator"] = "client"
    address: Address | None = None
    user_agent: str | None = None
    request_id: str | None = None


async def origin(request: Request) -> Origin:
    """The request's, for an endpoint to depend on.

    The address is the one that the connection, or the event's source, tells; never what the client has sent.
    """
    client = request.client
    return Origin(
        address=_address(client.host) if client else None,
        user_agent=_user_agent(request.headers.get("User-Agent")),
        request_id=request_id.get(),
    )


def _address(host: str) -> Address | None:
    # A zone means something on this machine alone, and PostgreSQL's `inet` has none.
    try:
        return ip_address(host.partition("%")[0])
    except ValueError:
        return None


def _user_agent(given: str | None) -> str | None:
    """Return it short, and without what would move a terminal's cursor or is shown as nothing."""
    kept = filter(str.isprintable, (given or "")[:MAXIMUM_USER_AGENT_CHARACTERS])
    return "".join(kept) or None
