"""What stands between the worker and S3: it answers 500 where it is told to, and notes what is written."""

from __future__ import annotations

from hashlib import sha256

import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

HOP_BY_HOP = {"connection", "transfer-encoding", "content-encoding", "content-length"}


class FaultyStorage:
    """A proxy that fails every `fault_every`-th request; 0 for none."""

    def __init__(self, url: str, address: str) -> None:
        self.address = address
        self._client = httpx.AsyncClient(base_url=url, timeout=30)
        self._requests = 0
        self.fault_every = 0
        self.faults = 0
        self.written: dict[str, set[str]] = {}
        """The digests of all that was ever written under a key."""
        self.writes = 0
        methods = ["GET", "HEAD", "PUT", "POST", "DELETE"]
        self.app = Starlette(routes=[Route("/{path:path}", self._pass_on, methods=methods)])

    async def _pass_on(self, request: Request) -> Response:
        try:
            body = await request.body()
        except ClientDisconnect:
            # Its worker was killed.
            return Response(status_code=400)
        self._requests += 1
        if self.fault_every and self._requests % self.fault_every == 0:
            self.faults += 1
            return Response("<Error><Code>InternalError</Code></Error>", 500, media_type="application/xml")
        if request.method == "PUT":
            self.writes += 1
            self.written.setdefault(request.url.path, set()).add(sha256(body).hexdigest())
        answer = await self._client.request(
            request.method,
            str(request.url.path),
            params=request.query_params,
            headers=request.headers.raw,
            content=body,
        )
        headers = {name: value for name, value in answer.headers.items() if name not in HOP_BY_HOP}
        if request.method == "HEAD":
            headers["content-length"] = answer.headers.get("content-length", "0")
        return Response(answer.content, answer.status_code, headers)
