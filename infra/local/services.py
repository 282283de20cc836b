"""Everything that the functions need, started in order.

Each import stands in the step that it belongs to: it is a good part of what the step takes.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import ExitStack
from pathlib import Path

from infra.local.steps import step

BUCKET = "passepartout"
SETTINGS = {
    "JWT_ALGORITHM": "ES256",
    "JWT_PUBLIC_KEYS": "",
    "REGISTRATION": "open",
    "METRICS_PORT": "",
    **dict.fromkeys(("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "S3_PUBLIC_URL"), ""),
    "KAFKA_SECURITY_PROTOCOL": "",
}
"""Whatever the caller's environment has; empty is unset.

Our keys fit no other algorithm, the main job registers a user, no two functions can listen on one port, and
pictures go to our own storage.
"""


def start_services(services: ExitStack, data: Path) -> str:
    """Start them, leave their addresses in the environment, and return the password of the demo's user."""
    with step("keys") as outcome:
        from infra.local.keys import local_keys

        keys = local_keys(data / "keys.json")
        outcome.text = f"{data}/keys.json"
    # Started first and waited for last: they take the longest, and another core.
    from infra.local.kafka import kafka, worker
    from infra.local.object_storage import make_bucket, object_storage

    endpoint = services.enter_context(object_storage())
    broker = services.enter_context(kafka())
    with step("PostgreSQL") as outcome:
        from infra.local.postgres import postgres

        os.environ["DATABASE_URL"] = services.enter_context(postgres(data / "postgres"))
        outcome.text = f"{data}/postgres"
    with step("migrations") as outcome:
        from infra.migrations import upgrade

        upgrade(os.environ["DATABASE_URL"])
        outcome.text = "the schema is up to date"
    with step("S3") as outcome:
        make_bucket(endpoint, BUCKET)
        os.environ |= {"S3_BUCKET": BUCKET, "LOCALSTACK_HOST": endpoint.removeprefix("http://")}
        outcome.text = f"{endpoint}, bucket {BUCKET}"
    with step("Pushgateway") as outcome:
        from infra.local.metrics import pushgateway

        url, whose = services.enter_context(pushgateway())
        os.environ["PUSHGATEWAY_URL"] = url
        outcome.text = f"{url}/metrics ({whose})"
    with step("Kafka") as outcome:
        from infra.local.lost_jobs import fail_lost_jobs

        os.environ["KAFKA_BOOTSTRAP_SERVERS"] = broker()
        lost = asyncio.run(fail_lost_jobs())
        services.enter_context(worker())
        outcome.text = f"{os.environ['KAFKA_BOOTSTRAP_SERVERS']}, a worker"
        if lost:
            outcome.text += f"; {lost} jobs of the last run have failed, as it took the queue with it"
    # After all programs are started: none of them inherits a secret.
    password = keys.pop("DEMO_PASSWORD")
    os.environ.update(SETTINGS | keys)
    return password
