"""Whole numbers as JSON has them."""

from typing import Any

from pydantic import BeforeValidator


def _whole(value: Any) -> Any:
    """Return 12.0 as 12: JSON has one kind of number (RFC 8259, 6; JSON Schema, 4.2.3)."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""For an `int` of JSON, which is validated strictly."""
