"""The janitor as Lambda runs it, on a schedule: one process, event after event."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from importlib import import_module
from types import SimpleNamespace

import pytest

from shared.errors import ChoresFailed
from shared.runtime import TaskEntry
from tests.events.scheduled import rule_event, scheduler_event
from tests.pushgateway import Gateway, served_gateway
from tests.sessions import DAY, add_session, stored

CONTEXT = SimpleNamespace(aws_request_id="8476a536-e9f4-11e8-9739-2dfe598c3fcd")
LONG_AGO = 8 * DAY
LOG_STREAM = "2026/11/24/[$LATEST]0f3c"


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    with served_gateway(monkeypatch) as gateway:
        monkeypatch.setenv("PUSHGATEWAY_URL", gateway.url)
        yield gateway


@pytest.fixture
def janitor(environment: pytest.MonkeyPatch, monkeypatch: pytest.MonkeyPatch) -> Iterator[TaskEntry]:
    """The handler of a new execution environment."""
    monkeypatch.delitem(sys.modules, "functions.janitor.handler", raising=False)
    entry: TaskEntry = import_module("functions.janitor.handler").handler
    yield entry
    entry.close()


def test_three_events_in_a_row(janitor: TaskEntry, database_url: str) -> None:
    live = asyncio.run(add_session(database_url, ended=-DAY))
    # What other tests have left is none of these.
    janitor(scheduler_event(), CONTEXT)
    answers = []
    for event in (scheduler_event(), rule_event()):
        asyncio.run(add_session(database_url, ended=LONG_AGO))
        answers.append(janitor(event, CONTEXT))
    answers.append(janitor(scheduler_event(), CONTEXT))
    assert answers == [
        {
            "expired_sessions": count,
            "forgotten_attempts": 0,
            "old_audit_events": 0,
            "stalled_jobs": 0,
            "old_uploads": 0,
            "old_results": 0,
            "old_jobs": 0,
            "stale_groups": 0,
        }
        for count in (1, 1, 0)
    ]
    assert live in asyncio.run(stored(database_url))


def test_stale_groups_go_and_its_own_stays(
    gateway: Gateway, janitor: TaskEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_LOG_STREAM_NAME", LOG_STREAM)
    monkeypatch.setenv("STALE_GROUP_SECONDS", "60")
    gateway.seconds_ago = 61
    gateway.push("resize", LOG_STREAM)
    gateway.push("janitor", LOG_STREAM)
    assert janitor(scheduler_event(), CONTEXT)["stale_groups"] == 1
    assert gateway.groups() == {("janitor", LOG_STREAM)}


@pytest.mark.usefixtures("_no_gateway")
def test_failure_is_the_platforms_to_see_and_the_next_event_is_served(
    janitor: TaskEntry, database_url: str
) -> None:
    for _ in range(2):
        ended = asyncio.run(add_session(database_url, ended=LONG_AGO))
        with pytest.raises(ChoresFailed, match="^stale_groups$"):
            janitor(scheduler_event(), CONTEXT)
        assert ended not in asyncio.run(stored(database_url))


@pytest.fixture
def _no_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUSHGATEWAY_URL", "http://127.0.0.1:1")
