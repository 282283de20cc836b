"""The decorators that apply an instrument to a use case."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from prometheus_client import Counter, Histogram

from shared.errors import Problem

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
AsyncFunction = Callable[Parameters, Awaitable[Result]]

SUCCEEDED = "succeeded"
FAILED = "failed"


def count_outcomes(
    counter: Counter, *refusals: type[Problem]
) -> Callable[[AsyncFunction[Parameters, Result]], AsyncFunction[Parameters, Result]]:
    """Count each call by its `outcome`: succeeded, the code of the Problem raised, or failed.

    The outcomes that are known beforehand, `refusals` among them, start at zero: a series that
    first appears at 1 has no increase.
    """
    for outcome in (SUCCEEDED, FAILED, *(refusal.code for refusal in refusals)):
        counter.labels(outcome)

    def decorate(function: AsyncFunction[Parameters, Result]) -> AsyncFunction[Parameters, Result]:
        @wraps(function)
        async def counted(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            outcome = FAILED
            try:
                result = await function(*args, **kwargs)
                outcome = SUCCEEDED
                return result
            except Problem as problem:
                outcome = problem.code
                raise
            finally:
                counter.labels(outcome).inc()

        return counted

    return decorate


def time_duration(
    histogram: Histogram,
) -> Callable[[AsyncFunction[Parameters, Result]], AsyncFunction[Parameters, Result]]:
    """Observe how long each call takes, in seconds, however it ends."""

    def decorate(function: AsyncFunction[Parameters, Result]) -> AsyncFunction[Parameters, Result]:
        @wraps(function)
        async def timed(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            started = time.perf_counter()
            try:
                return await function(*args, **kwargs)
            finally:
                histogram.observe(time.perf_counter() - started)

        return timed

    return decorate
