"""AWS Lambda's limits, so that one that would be met in production is met here.

https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-quotas.html
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

PAYLOAD_BYTES = 6_291_556
"""An event or an answer as JSON: 6 MB and some room for what is around them."""
HEADER_BYTES = 10_240
"""Of all headers of a request together, the request line apart."""
INTEGRATION_SECONDS = 30.0
"""How long an HTTP API waits for a function's answer, the time in a queue included."""
UNLIMITED_BYTES = 256 * 1024 * 1024
"""What is taken where the payload's limit is lifted: it must still fit into the memory."""


class LambdaLimits(StrEnum):
    """Whether what Lambda would refuse is refused here as well."""

    ON = "on"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class GatewayLimits:
    payload_bytes: int = PAYLOAD_BYTES
    integration_seconds: float = INTEGRATION_SECONDS
    waiting: int = 64
    """Requests that may wait for an environment, a function."""

    @classmethod
    def of(cls, lambdas: LambdaLimits) -> GatewayLimits:
        """Return the limits; OFF lifts the payload's, for those who never go to Lambda."""
        return cls() if lambdas is LambdaLimits.ON else cls(payload_bytes=UNLIMITED_BYTES)
