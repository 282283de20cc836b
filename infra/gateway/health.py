"""Whether each function in containers has one that asks for events: `python -m infra.gateway.health`.

Asked of the front door on this machine. Ends with 0, or with 1 and a line that names those which have none.
"""

from __future__ import annotations

import json
import sys
from http.client import HTTPConnection

PORT = 9001
SECONDS = 5


def fault(port: int = PORT) -> str | None:
    """Return what is the matter, or None."""
    connection = HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    try:
        connection.request("GET", "/health")
        missing = json.loads(connection.getresponse().read())["functions_without_environment"]
    except OSError as error:
        return f"the front door does not answer: {error}"
    finally:
        connection.close()
    return f"no container asks for events of {', '.join(missing)}" if missing else None


if __name__ == "__main__":
    sys.exit(fault())
