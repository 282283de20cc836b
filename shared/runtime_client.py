"""What is asked of AWS's runtime client: orjson for events, and a word before it waits for the next one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson


class OrjsonMarshaller:
    """Reads and writes events: with a picture in it, one has megabytes."""

    def unmarshal_request(self, request: bytes, content_type: str = "application/json") -> Any:
        return orjson.loads(request)

    def marshal_response(self, response: Any) -> tuple[bytes, str]:
        return orjson.dumps(response), "application/json"


def adapt_runtime_client(before_next: Callable[[], None]) -> None:
    """Adapt the client of this process, once; without effect where no such client runs the process."""
    try:
        from awslambdaric.lambda_runtime_client import LambdaRuntimeClient
    except ImportError:
        return
    wait_next_invocation = LambdaRuntimeClient.wait_next_invocation

    def wait(client: LambdaRuntimeClient) -> Any:
        before_next()
        return wait_next_invocation(client)

    LambdaRuntimeClient.marshaller = OrjsonMarshaller()
    LambdaRuntimeClient.wait_next_invocation = wait
