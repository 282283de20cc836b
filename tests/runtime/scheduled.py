"""A function that says what it was called for."""

from typing import Any


def handler(event: dict[str, Any], context: Any) -> None:
    print(f"{event['detail-type']} of {event['source']}", flush=True)
