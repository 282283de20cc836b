"""How a step ends once a signal has come."""

from __future__ import annotations

import signal

import pytest

from infra.local import steps
from infra.local.errors import LocalError
from infra.local.steps import Stop, Stopped, step


@pytest.fixture
def stop(monkeypatch: pytest.MonkeyPatch) -> Stop:
    stop = Stop()
    monkeypatch.setattr(steps, "STOP", stop)
    return stop


def ask(stop: Stop) -> None:
    stop.ask(signal.SIGINT, None)


def test_no_step_begins_any_more(stop: Stop, capsys: pytest.CaptureFixture[str]) -> None:
    ask(stop)
    with pytest.raises(Stopped), step("S3"):
        raise AssertionError("it has begun")
    assert capsys.readouterr().out.split() == ["S3", "stopped"]


def test_step_comes_to_its_end(stop: Stop, capsys: pytest.CaptureFixture[str]) -> None:
    done = []
    with pytest.raises(Stopped), step("S3"):
        ask(stop)
        done.append("bucket")
    assert (done, capsys.readouterr().out.split()) == (["bucket"], ["S3", "stopped"])


def test_what_the_signal_made_fail_is_no_failure(stop: Stop, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(Stopped), step("PostgreSQL"):
        ask(stop)
        raise LocalError("PostgreSQL cannot be started")
    assert capsys.readouterr().out.split() == ["PostgreSQL", "stopped"]


def test_failure_without_a_signal_is_one(stop: Stop, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(LocalError), step("PostgreSQL"):
        raise LocalError("PostgreSQL cannot be started")
    assert capsys.readouterr().out.split() == ["PostgreSQL", "failed"]
