"""What lies on a Pushgateway: it has no time-to-live, so the groups of environments that have ended stay."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from http.client import HTTPConnection, HTTPSConnection
from typing import TypeVar
from urllib.parse import urlsplit

from prometheus_client import delete_from_gateway
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

from shared.metrics.instruments import NAMESPACE

CONNECT_TIMEOUT_SECONDS = 0.5
TOTAL_TIMEOUT_SECONDS = 2.0

PUSHED = "push_time_seconds"
"""In every group, by the Pushgateway itself: the Unix time of the last push that succeeded."""
OURS = f"{NAMESPACE}_push_failures_total"
"""In every group of a MetricsPush, and once."""
LINES = (f"{PUSHED}{{".encode(), f"{OURS}{{".encode())

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Group:
    job: str
    instance: str


@dataclass(frozen=True, slots=True)
class PushedGroups:
    """The groups on the Pushgateway at `url`, of which `own` is this environment's."""

    url: str
    own: Group
    silence_seconds: float

    async def stale(self, now: float) -> list[Group]:
        """Return the groups of our functions that have been silent for too long at `now`, a Unix time.

        Nobody else's, and not our own. Raises OSError when the Pushgateway gives no good answer.
        """
        samples = _parse(await _in_time(partial(_send, "GET", f"{_address(self.url)}/metrics")))
        ours = _by_group(samples, OURS).keys() - {self.own}
        last = now - self.silence_seconds
        return [group for group, at in _by_group(samples, PUSHED).items() if group in ours and at < last]

    async def delete(self, group: Group) -> None:
        """Delete a group, if there is one. Raises OSError when the Pushgateway does not take that."""
        grouping = {"instance": group.instance}
        address = _address(self.url)
        await _in_time(partial(delete_from_gateway, address, group.job, grouping, handler=_handle))


def _address(url: str) -> str:
    """Return the URL as `push_to_gateway` would read it."""
    return (url if url.startswith(("http://", "https://")) else f"http://{url}").rstrip("/")


async def _in_time(call: Callable[[], Result]) -> Result:
    """Make the call in a thread; one that takes longer is left alone."""
    async with asyncio.timeout(TOTAL_TIMEOUT_SECONDS):
        return await asyncio.to_thread(call)


def _handle(url: str, method: str, **_: object) -> Callable[[], object]:
    return partial(_send, method, url)


def _send(method: str, url: str) -> bytes:
    parts = urlsplit(url)
    connect = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    with closing(connect(parts.netloc, timeout=CONNECT_TIMEOUT_SECONDS)) as connection:
        connection.connect()
        connection.sock.settimeout(TOTAL_TIMEOUT_SECONDS)
        connection.request(method, parts.path)
        answer = connection.getresponse()
        content = answer.read()
    if answer.status >= 300:
        raise OSError(f"{method} {url} answered {answer.status}")
    return content


def _parse(content: bytes) -> list[Sample]:
    """Return the samples that are asked for here: of a whole function's, these two in some hundred lines."""
    # Not `splitlines`: a label's value may hold a carriage return.
    lines = b"\n".join(line for line in content.split(b"\n") if line.startswith(LINES))
    families = text_string_to_metric_families(lines.decode())
    return [sample for family in families for sample in family.samples]


def _by_group(samples: Iterable[Sample], name: str) -> dict[Group, float]:
    """Return the values by group. Ours have just these labels; an empty instance may be none at all."""
    return {
        Group(**sample.labels): sample.value
        for sample in samples
        if sample.name == name and sample.labels.keys() == {"job", "instance"} and sample.labels["instance"]
    }
