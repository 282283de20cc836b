"""The functions' environments as processes of this machine: AWS's runtime client with the real handler."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
import time
from asyncio.subprocess import STDOUT, Process
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from pathlib import Path

from infra.gateway.callers import Door
from infra.gateway.functions import Function
from infra.gateway.invocations import FunctionQueue
from infra.gateway.runtime_server import RuntimeServer
from infra.local.orphans import ending_with_us

HOST = "127.0.0.1"
ROOT = Path(__file__).parents[2]
EXECUTION_ENVIRONMENT = "AWS_Lambda_python3.13"
"""Has AWS's client wait for events in a thread, so that the process hears SIGTERM while it waits."""
INIT_SECONDS = 30.0
"""An environment that is not ready by then is started anew. Lambda gives it 10 s, and more of a processor."""
STOP_SECONDS = 5.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 60.0
"""Between two starts of an environment that ends before it asks for an event."""

Print = Callable[[bytes], object]

logger = logging.getLogger("passepartout.gateway")


class EnvironmentProcess:
    """Keeps one environment of a function running: starts it, and starts it again when it ends."""

    def __init__(self, queue: FunctionQueue, number: int, server: RuntimeServer, print_: Print) -> None:
        self._queue = queue
        self._number = number
        self._callers = server.api.callers
        self._server = server
        self._print = print_
        self._process: Process | None = None
        self._port = 0
        self._generation = 0
        self._stopping = asyncio.Event()
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Run until `stop`."""
        pause = FIRST_PAUSE_SECONDS
        while not self._stopping.is_set():
            was_used = await self._run_once()
            if self._stopping.is_set() or was_used or self._changed.is_set():
                self._changed.clear()
                pause = FIRST_PAUSE_SECONDS
                continue
            await self._pause(pause)
            pause = min(4 * pause, LONGEST_PAUSE_SECONDS)

    async def _pause(self, seconds: float) -> None:
        """Wait for other code, or a while for what else may have been the matter."""
        name = self._queue.function.name
        logger.error("%s ended before it was ready; it is started again in %.1f s", name, seconds)
        if not self._queue.environments:
            self._queue.fail(f"{name} cannot be started, its log says why")
        with suppress(TimeoutError):
            await asyncio.wait_for(self._changed.wait(), seconds)
        self._changed.clear()

    async def replace(self) -> None:
        """Have the code loaded anew: the environment ends when it has answered, and a new one starts."""
        self._changed.set()
        try:
            await asyncio.wait_for(self._end(), self._queue.function.timeout + STOP_SECONDS)
        except TimeoutError:
            self._kill()

    async def stop(self) -> None:
        """End the environment when it has answered, or after STOP_SECONDS."""
        self._stopping.set()
        try:
            await asyncio.wait_for(self._end(), STOP_SECONDS)
        except TimeoutError:
            self._kill()

    async def _end(self) -> None:
        process = self._process
        if process is None or process.returncode is not None:
            return
        # No event may be on its way to a process that is about to end.
        await self._callers.retire(self._port)
        if process.returncode is None:
            process.terminate()
        await process.wait()

    async def _run_once(self) -> bool:
        """Run the environment until it ends; return whether it was ever ready for an event."""
        listener = await self._server.listen(HOST)
        self._port = port = int(listener.sockets[0].getsockname()[1])
        door = Door(self._queue, self._kill, time.perf_counter())
        self._callers.open_door(port, door)
        try:
            self._process, printed = await self._spawn(port)
            forwarding = asyncio.create_task(self._forward(printed))
            init_limit = asyncio.get_running_loop().call_later(INIT_SECONDS, self._kill_unless_ready)
            status = await self._process.wait()
            init_limit.cancel()
            # A child of its own may outlive it, and hold its output.
            _kill_group(self._process.pid)
            await asyncio.wait({forwarding}, timeout=1)
            forwarding.cancel()
        finally:
            listener.close()
            was_ready = self._callers.close_door(port, "it ended")
        if not (self._stopping.is_set() or self._changed.is_set()):
            logger.info("an environment of %s ended (%s)", self._queue.function.name, status)
        return was_ready

    async def _spawn(self, port: int) -> tuple[Process, asyncio.StreamReader]:
        """Start the process; return it, and what it prints.

        The pipe is ours: asyncio would wait for its end too, and a child may hold it (python/cpython#119710).
        """
        function = self._queue.function
        read_end, write_end = os.pipe()
        printed = asyncio.StreamReader()
        try:
            process = await asyncio.create_subprocess_exec(
                *ending_with_us([sys.executable, "-m", "awslambdaric", function.handler]),
                env=os.environ | self._environment(function, port),
                stdout=write_end,
                stderr=STDOUT,
                # Ctrl-C is for us, who let what is under way come to its end.
                start_new_session=True,
            )
        finally:
            os.close(write_end)
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(printed), os.fdopen(read_end, "rb", buffering=0)
        )
        return process, printed

    async def _forward(self, printed: asyncio.StreamReader) -> None:
        """Pass on what the process prints, until it ends."""
        while chunk := await printed.read(65536):
            self._print(chunk)

    def _environment(self, function: Function, port: int) -> dict[str, str]:
        """Return the variables that Lambda sets.

        https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
        """
        self._generation += 1
        return {
            "AWS_LAMBDA_RUNTIME_API": f"{HOST}:{port}",
            "AWS_LAMBDA_FUNCTION_NAME": function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_megabytes),
            "AWS_LAMBDA_LOG_STREAM_NAME": f"{os.getpid()}-{self._number}-{self._generation}",
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_EXECUTION_ENV": EXECUTION_ENVIRONMENT,
            "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
        }

    def _kill_unless_ready(self) -> None:
        if not self._callers.is_ready(self._port):
            logger.error("%s is not ready after %d s", self._queue.function.name, INIT_SECONDS)
            self._kill()

    def _kill(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.kill()


def _kill_group(number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(number, signal.SIGKILL)


class Processes:
    """The environments of one function: one from the start, more when an event finds none idle."""

    def __init__(self, queue: FunctionQueue, most: int, server: RuntimeServer, print_: Print) -> None:
        self._queue = queue
        self._most = most
        self._server = server
        self._print = print_
        self._running: dict[EnvironmentProcess, asyncio.Task[None]] = {}
        queue.on_wait = self._add_for

    def start(self) -> None:
        self._add()

    async def replace(self) -> None:
        """Have the code loaded anew."""
        await asyncio.gather(*(process.replace() for process in self._running))

    async def stop(self) -> None:
        """End all of them, each when it has answered."""
        self._queue.on_wait = lambda waiting: None
        await asyncio.gather(*(process.stop() for process in self._running))
        for task in self._running.values():
            task.cancel()
        await asyncio.gather(*self._running.values(), return_exceptions=True)

    def _add_for(self, waiting: int) -> None:
        """Start another environment where those that are starting are too few for what waits."""
        starting = len(self._running) - self._queue.environments
        if waiting > starting and len(self._running) < self._most:
            self._add()

    def _add(self) -> None:
        process = EnvironmentProcess(self._queue, len(self._running), self._server, self._print)
        # In a context of its own: it is no part of the request for which it is started.
        self._running[process] = asyncio.create_task(process.run(), context=Context())
