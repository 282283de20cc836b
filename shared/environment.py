"""An execution environment of AWS Lambda: what is made once and serves every event until its end.

https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from fastapi import FastAPI

from shared.config import RuntimeSettings
from shared.errors import ConfigurationError
from shared.extension import Extension, announce_exit
from shared.metrics.instruments import RuntimeInstruments
from shared.process import seconds_since_start
from shared.runtime_client import adapt_runtime_client

LAST_EVENT_SECONDS = 0.2
"""How long an event that was handed out before the end was announced may take to arrive."""

logger = logging.getLogger("passepartout.runtime")


class Environment:
    """The one event loop of a function, and the resources on it.

    - Started, it has the loop and the resources open. On Lambda it also pushes metrics as an extension, after
      the answers, and ends on SIGTERM: between two events at once, else when the answer is out.
    - A process may be frozen between two events for as long as it likes: nothing here keeps time.
    - Closed, it may be started again: a snapshot is taken of it closed, and restored started (SnapStart).
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._settings = RuntimeSettings.from_environment()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._extension: Extension | None = None
        self._is_cold = True
        self._instruments = RuntimeInstruments(app.state.registry, app.state.function)
        self._busy = False
        self._stopping = False

    def start(self) -> None:
        """Open everything. Ends the process with one line when a setting is missing or unusable."""
        self._open()
        if (seconds := seconds_since_start()) is not None:
            self._instruments.init_duration.set(seconds)
        if self._settings.on_lambda:
            adapt_runtime_client(before_next=self._end_if_stopping)
            signal.signal(signal.SIGTERM, self._terminate)
            self._start_extension()
        if self._settings.is_snap_started:
            self._register_snapshot_hooks()

    @contextmanager
    def invocation(self) -> Iterator[asyncio.AbstractEventLoop]:
        """Give the loop for one event, started first where that has not happened."""
        if self._loop is None:
            self.start()
        assert self._loop is not None
        asyncio.set_event_loop(self._loop)
        if self._is_cold:
            self._instruments.cold_starts.inc()
        self._is_cold, self._busy = False, True
        try:
            yield self._loop
        finally:
            if self._extension is not None:
                self._extension.answered()

    def close(self) -> None:
        """Close the resources, the last one opened first."""
        if self._loop is not None:
            self._loop.run_until_complete(self._lifespan.__aexit__(None, None, None))
            self._loop.close()
            self._loop = None

    def _open(self) -> None:
        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        self._lifespan = self._app.router.lifespan_context(self._app)
        try:
            loop.run_until_complete(self._lifespan.__aenter__())
        except BaseException as error:
            loop.close()
            if isinstance(error, ConfigurationError):
                raise SystemExit(f"configuration: {error}") from None
            raise
        self._loop = loop

    def _start_extension(self) -> None:
        push = self._app.state.metrics_push
        if push is None:
            return
        self._extension = Extension(str(self._settings.aws_lambda_runtime_api), push.push, push.push_if_due)
        self._extension.start()

    def _register_snapshot_hooks(self) -> None:
        # Part of AWS's runtime client; imported where a snapshot will be taken.
        from snapshot_restore_py import register_after_restore, register_before_snapshot

        register_before_snapshot(self.close)
        register_after_restore(self._open)

    def _terminate(self, number: int, frame: FrameType | None) -> None:
        self._stopping = True
        if self._busy:
            return
        # An event may be on its way: say that no more is wanted, and look again when it would be here.
        announce_exit(str(self._settings.aws_lambda_runtime_api))
        signal.signal(signal.SIGALRM, self._end_unless_busy)
        signal.setitimer(signal.ITIMER_REAL, LAST_EVENT_SECONDS)

    def _end_unless_busy(self, number: int, frame: FrameType | None) -> None:
        if not self._busy:
            self._end()

    def _end_if_stopping(self) -> None:
        """Called when the last answer is out, before the next event is asked for."""
        self._busy = False
        if self._stopping:
            self._end()

    def _end(self) -> None:
        self.close()
        # Not `sys.exit`: it would wait for the runtime client's thread, which waits for an event.
        os._exit(0)
