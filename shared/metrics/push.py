"""Pushes a function's metrics to a Pushgateway, off the request's path."""

from __future__ import annotations

import logging
import time
from threading import Event, Thread
from urllib.error import HTTPError

from prometheus_client import CollectorRegistry, Counter, push_to_gateway

INTERVAL_SECONDS = 5.0
TIMEOUT_SECONDS = 0.5
FAILURES_TO_OPEN = 3
OPEN_SECONDS = 60.0
"""The circuit breaker: after so many failures in a row, that long without a try."""

logger = logging.getLogger("passepartout.metrics")


class MetricsPush:
    """Pushes the whole registry by PUT: cumulative, so that a push lost changes nothing.

    - The first push is at the start: zeros, so that the first events have an increase.
    - Then one at most every INTERVAL_SECONDS, and one when stopped. Started, it has a thread for that.
    - A failure is counted and logged, and never reaches a caller.

    The group is `job=<function>`, `instance=<execution environment>`: a Pushgateway keeps one value a
    group and adds nothing up, so two environments must not share one.
    """

    def __init__(
        self, registry: CollectorRegistry, failures: Counter, url: str, function: str, instance: str
    ) -> None:
        self.registry = registry
        self.url = url
        self.function = function
        self.instance = instance
        self.failures = failures
        self._failures_in_a_row = 0
        self._closed_from = 0.0
        self._pushed_at = -INTERVAL_SECONDS
        self._stopping = Event()
        self._thread = Thread(target=self._run, name=f"metrics-push-{function}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Push what was counted last, and end the thread."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        else:
            self.push()

    def push_if_due(self) -> None:
        """Push, unless that was done a moment ago. Raises nothing."""
        if time.monotonic() - self._pushed_at >= INTERVAL_SECONDS:
            self.push()

    def push(self) -> None:
        """Push now, unless the circuit breaker is open. Raises nothing."""
        if time.monotonic() < self._closed_from:
            return
        self._pushed_at = time.monotonic()
        try:
            push_to_gateway(
                self.url,
                job=self.function,
                registry=self.registry,
                grouping_key={"instance": self.instance},
                timeout=TIMEOUT_SECONDS,
            )
        except Exception as error:
            self._fail(error)
        else:
            self._failures_in_a_row = 0

    def _run(self) -> None:
        self.push()
        while not self._stopping.wait(INTERVAL_SECONDS):
            self.push()
        self.push()

    def _fail(self, error: Exception) -> None:
        if isinstance(error, HTTPError):
            # It is the open answer as well.
            error.close()
        self.failures.inc()
        self._failures_in_a_row += 1
        logger.warning("metrics not pushed: %s", error)
        if self._failures_in_a_row >= FAILURES_TO_OPEN:
            self._closed_from = time.monotonic() + OPEN_SECONDS
            logger.warning("metrics: no push for %d s", OPEN_SECONDS)
