"""A Pushgateway that can be told to refuse, and to hang."""

from __future__ import annotations

from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import Queue
from threading import Event

PATIENCE_SECONDS = 10
"""Only a test that fails waits so long."""


@dataclass(frozen=True)
class Pushed:
    method: str
    path: str
    content_type: str | None
    text: str

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


class Gateway(ThreadingHTTPServer):
    """Answers every request with `status`, and hands over what it was sent."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.status = 200
        self.hangs = False
        self.released = Event()
        self.received: Queue[Pushed] = Queue()

    def next(self) -> Pushed:
        return self.received.get(timeout=PATIENCE_SECONDS)


class Handler(BaseHTTPRequestHandler):
    server: Gateway

    def do_PUT(self) -> None:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.received.put(Pushed(self.command, self.path, self.headers["Content-Type"], text))
        if self.server.hangs and self.server.released.wait(2):
            return  # the caller is gone; one who waits for 2 s is answered, and fails the test
        self.send_response(self.server.status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_PUT

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""
