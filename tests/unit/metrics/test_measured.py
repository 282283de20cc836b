from __future__ import annotations

import asyncio
import inspect
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram

from shared.errors import InvalidCredentials, TooBusy
from shared.metrics import measured
from shared.metrics.measured import count_outcomes, time_duration


@pytest.fixture
def registry() -> CollectorRegistry:
    return CollectorRegistry()


@pytest.fixture
def counter(registry: CollectorRegistry) -> Counter:
    return Counter("logins", "Sign-ins.", ["outcome"], registry=registry)


@pytest.fixture
def histogram(registry: CollectorRegistry) -> Histogram:
    return Histogram("work_seconds", "Work.", registry=registry)


@pytest.fixture
def _ten_seconds_each(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 1000, 10))
    monkeypatch.setattr(measured, "time", SimpleNamespace(perf_counter=lambda: next(clock)))


def _outcomes(counter: Counter) -> dict[str, float]:
    samples = [sample for family in counter.collect() for sample in family.samples]
    return {sample.labels["outcome"]: sample.value for sample in samples if sample.name == "logins_total"}


def _failing(error: BaseException, counter: Counter) -> asyncio.Task[None]:
    @count_outcomes(counter, InvalidCredentials)
    async def login() -> None:
        raise error

    async def call() -> None:
        await login()

    return asyncio.create_task(call())


async def test_outcomes_known_beforehand_start_at_zero(counter: Counter) -> None:
    count_outcomes(counter, InvalidCredentials, TooBusy)
    assert _outcomes(counter) == {"succeeded": 0, "failed": 0, "invalid_credentials": 0, "too_busy": 0}


async def test_success_is_counted_and_returned(counter: Counter) -> None:
    @count_outcomes(counter)
    async def login(name: str, *, age: int) -> tuple[str, int]:
        return name, age

    assert await login("Ada", age=36) == ("Ada", 36)
    assert _outcomes(counter) == {"succeeded": 1, "failed": 0}


async def test_refusal_is_counted_by_its_code_and_raised(counter: Counter) -> None:
    refusal = InvalidCredentials("No.")
    with pytest.raises(InvalidCredentials) as raised:
        await _failing(refusal, counter)
    assert raised.value is refusal
    assert _outcomes(counter) == {"succeeded": 0, "failed": 0, "invalid_credentials": 1}


async def test_refusal_that_was_not_foreseen_is_counted_by_its_code_too(counter: Counter) -> None:
    with pytest.raises(TooBusy):
        await _failing(TooBusy("Later."), counter)
    assert _outcomes(counter) == {"succeeded": 0, "failed": 0, "invalid_credentials": 0, "too_busy": 1}


@pytest.mark.parametrize("error", [LookupError("x"), asyncio.CancelledError(), TimeoutError()])
async def test_anything_else_is_counted_as_failed_and_raised(counter: Counter, error: BaseException) -> None:
    with pytest.raises(type(error)):
        await _failing(error, counter)
    assert _outcomes(counter) == {"succeeded": 0, "failed": 1, "invalid_credentials": 0}


@pytest.mark.usefixtures("_ten_seconds_each")
async def test_each_call_is_timed_in_seconds(histogram: Histogram, registry: CollectorRegistry) -> None:
    @time_duration(histogram)
    async def work(number: int) -> int:
        return number + 1

    assert [await work(1), await work(2)] == [2, 3]
    assert registry.get_sample_value("work_seconds_count") == 2
    assert registry.get_sample_value("work_seconds_sum") == 20


@pytest.mark.usefixtures("_ten_seconds_each")
@pytest.mark.parametrize("error", [LookupError("x"), asyncio.CancelledError(), TooBusy("Later.")])
async def test_call_that_fails_is_timed_too(
    histogram: Histogram, registry: CollectorRegistry, error: BaseException
) -> None:
    @time_duration(histogram)
    async def work() -> None:
        raise error

    with pytest.raises(type(error)):
        await work()
    assert registry.get_sample_value("work_seconds_sum") == 10


def test_decorated_function_keeps_its_name_and_parameters(counter: Counter, histogram: Histogram) -> None:
    @count_outcomes(counter)
    @time_duration(histogram)
    async def login(name: str, *, age: int = 0) -> None:
        """Sign in."""

    assert (login.__name__, login.__doc__) == ("login", "Sign in.")
    assert list(inspect.signature(login).parameters) == ["name", "age"]
