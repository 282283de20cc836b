"""Functions that do what a front door must cope with. The path says what."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Any

Event = dict[str, Any]


def answer(body: str = "", status: int = 200) -> Event:
    return {"statusCode": status, "headers": {"content-type": "text/plain"}, "body": body}


def handler(event: Event, context: Any) -> Any:
    match event.get("rawPath", "").rpartition("/")[2]:
        case "echo":
            return {"event": event, "context": context.aws_request_id}
        case "pid":
            return answer(str(os.getpid()))
        case "slow":
            time.sleep(0.3)
            return answer(str(os.getpid()))
        case "hold":
            while not Path(os.environ["HELD_UNTIL"]).exists():
                time.sleep(0.01)
            return answer()
        case "hang":
            time.sleep(60)
        case "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        case "fail":
            raise LookupError("a secret of the function")
        case "large":
            return answer("x" * 7_000_000)
        case "nonsense":
            return {"statusCode": "none", "headers": ["no", "headers"]}
        case "early":
            return answer(status=100)
        case "split":
            return {"statusCode": 200, "headers": {"x-a": "1\r\nx-evil: 1"}}
        case "framed":
            return {
                **answer("framed"),
                "headers": {"Transfer-Encoding": "chunked", "Connection": "close", "x-a": "1"},
            }
        case "head":
            return {"statusCode": 200, "headers": {"content-length": "15"}}
        case "exit":
            os._exit(3)
        case "leave":
            raise SystemExit("a secret of the function")
        case "orphan":
            # It goes on, and holds the output.
            subprocess.Popen(["sleep", "600"])
            os._exit(3)
    return None
