"""The instruments (Prometheus naming, base units). Each function registers those that it uses.

They start in no registry: a process may hold several functions, and each pushes only its own.
"""

from __future__ import annotations

from collections.abc import Iterable

from fastapi.routing import APIRoute
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from shared.errors import InternalError

# A series of creation times for each of ours would double what is pushed and stored, and nobody asks for it.
disable_created_metrics()  # type: ignore[no-untyped-call]

NAMESPACE = "passepartout"

REQUEST_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
STAGE_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)
JOB_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)

LOGINS = Counter("logins", "Sign-ins by outcome.", ["outcome"], namespace=NAMESPACE, registry=None)
LOCKOUTS = Counter(
    "lockouts", "Wrong passwords that blocked an account for a while.", namespace=NAMESPACE, registry=None
)
REFRESHES = Counter("refreshes", "Refreshes by outcome.", ["outcome"], namespace=NAMESPACE, registry=None)
PASSWORD_HASH_DURATION = Histogram(
    "password_hash_duration_seconds",
    "Time to hash or verify a password, the wait for a thread included.",
    namespace=NAMESPACE,
    buckets=STAGE_BUCKETS,
    registry=None,
)
IMAGE_STAGE_DURATION = Histogram(
    "image_stage_duration_seconds",
    "Time a picture spends in each stage.",
    ["stage", "format"],
    namespace=NAMESPACE,
    buckets=STAGE_BUCKETS,
    registry=None,
)
IMAGE_BYTES = Counter(
    "image_bytes",
    "Bytes of pictures, in and out.",
    ["direction"],
    namespace=NAMESPACE,
    registry=None,
)
IMAGE_PIXELS = Counter("image_pixels", "Pixels of the sources resized.", namespace=NAMESPACE, registry=None)
JANITOR_REMOVED = Counter(
    "janitor_removed",
    "Things that the janitor removed, by kind.",
    ["kind"],
    namespace=NAMESPACE,
    registry=None,
)
JANITOR_FAILURES = Counter(
    "janitor_failures",
    "Chores of the janitor that failed, by kind.",
    ["kind"],
    namespace=NAMESPACE,
    registry=None,
)

JOBS = Counter("jobs", "Jobs by outcome.", ["outcome"], namespace=NAMESPACE, registry=None)
JOB_ATTEMPTS = Counter(
    "job_attempts", "Records processed, by outcome.", ["outcome"], namespace=NAMESPACE, registry=None
)
JOB_DURATION = Histogram(
    "job_duration_seconds",
    "Time from the 202 until the job was done.",
    namespace=NAMESPACE,
    buckets=JOB_BUCKETS,
    registry=None,
)
JOB_QUEUE_DURATION = Histogram(
    "job_queue_duration_seconds",
    "Of that, the time until a worker took it.",
    namespace=NAMESPACE,
    buckets=JOB_BUCKETS,
    registry=None,
)
JOB_WORK_DURATION = Histogram(
    "job_work_duration_seconds",
    "Of that, the time from then on.",
    namespace=NAMESPACE,
    buckets=JOB_BUCKETS,
    registry=None,
)
JOBS_OLDEST = Gauge(
    "jobs_oldest_seconds",
    "Age of the oldest job that is not finished, as of the janitor's last run.",
    namespace=NAMESPACE,
    registry=None,
)
DEAD_RECORDS = Gauge(
    "dead_records",
    "Records in the dead topic.",
    namespace=NAMESPACE,
    registry=None,
)
CONSUMER_LAG = Gauge(
    "consumer_lag_records",
    "Records that wait in the partitions that this worker has.",
    ["topic"],
    namespace=NAMESPACE,
    registry=None,
)


def push_failures(registry: CollectorRegistry) -> Counter:
    return Counter("push_failures", "Pushes of metrics that failed.", namespace=NAMESPACE, registry=registry)


class RuntimeInstruments:
    """How one function's execution environments start."""

    def __init__(self, registry: CollectorRegistry, function: str) -> None:
        cold_starts = Counter(
            "cold_starts",
            "Execution environments started for an event.",
            ["function"],
            namespace=NAMESPACE,
            registry=registry,
        )
        init_duration = Gauge(
            "init_duration_seconds",
            "Time from the start of the process until it was ready for its first event.",
            ["function"],
            namespace=NAMESPACE,
            registry=registry,
        )
        self.cold_starts = cold_starts.labels(function)
        self.init_duration = init_duration.labels(function)


class HttpInstruments:
    """Requests and their durations of one function."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "http_requests",
            "Requests answered.",
            ["function", "method", "route", "status"],
            namespace=NAMESPACE,
            registry=registry,
        )
        self.duration = Histogram(
            "http_request_duration_seconds",
            "Time from the request's first byte to the answer's last.",
            ["function", "route"],
            namespace=NAMESPACE,
            buckets=REQUEST_BUCKETS,
            registry=registry,
        )

    def start_at_zero(self, function: str, routes: Iterable[APIRoute]) -> None:
        """Begin the series of every documented answer, and of what no route documents: InternalError.

        One that first appears at 1 has no increase.
        """
        for route in routes:
            self.duration.labels(function, route.path)
            for method in route.methods or ():
                for status in (route.status_code or 200, *route.responses, InternalError.status):
                    self.requests.labels(function, method, route.path, status)
