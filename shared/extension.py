"""An internal extension of Lambda: work after the answer is out, which adds nothing to its latency.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from threading import Semaphore, Thread
from typing import Any

import orjson

NAME = "passepartout-metrics"
API = "/2020-01-01/extension"
EXIT = "Extension.Exit"
EXIT_SECONDS = 1.0

logger = logging.getLogger("passepartout.runtime")


def announce_exit(api: str) -> None:
    """Tell that this environment is about to end; a platform that does not listen is left alone."""
    connection = HTTPConnection(api, timeout=EXIT_SECONDS)
    with suppress(OSError, HTTPException):
        connection.request("POST", f"{API}/exit/error", b"{}", {"Lambda-Extension-Function-Error-Type": EXIT})
        connection.getresponse().read()
    connection.close()


class Extension:
    """A thread beside the handler.

    - Registered while the environment starts, it does `at_start` and asks for the first event.
    - Of each event it hears as the handler does; it waits for `answered()`, and does `after_answer`.
    - Lambda gives the environment no next event, nor freezes it, before the extension has asked for one too.
    """

    def __init__(self, api: str, at_start: Callable[[], None], after_answer: Callable[[], None]) -> None:
        self._connection = HTTPConnection(api)
        self._at_start = at_start
        self._after_answer = after_answer
        self._answered = Semaphore(0)

    def start(self) -> None:
        """Register, and go on in a thread; a platform without extensions is told of in the log."""
        body = orjson.dumps({"events": ["INVOKE"]})
        try:
            _, self._identifier = self._request("POST", "/register", {"Lambda-Extension-Name": NAME}, body)
        except (OSError, HTTPException) as error:
            logger.warning("no metrics are pushed: %s", error)
            return
        Thread(target=self._run, name=NAME, daemon=True).start()

    def answered(self) -> None:
        self._answered.release()

    def _run(self) -> None:
        self._at_start()
        try:
            while self._next_event()["eventType"] == "INVOKE":
                self._answered.acquire()
                self._after_answer()
        except (OSError, HTTPException) as error:
            logger.warning("no more metrics are pushed: %s", error)

    def _next_event(self) -> dict[str, Any]:
        headers = {"Lambda-Extension-Identifier": self._identifier}
        body, _ = self._request("GET", "/event/next", headers)
        event: dict[str, Any] = orjson.loads(body)
        return event

    def _request(
        self, method: str, path: str, headers: dict[str, str], body: bytes | None = None
    ) -> tuple[bytes, str]:
        self._connection.request(method, API + path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        if answer.status != 200:
            raise HTTPException(f"{method} {API + path} answered {answer.status}")
        return content, answer.getheader("Lambda-Extension-Identifier", "")
