"""Events as a schedule sends them where it names no input of its own.

EventBridge Scheduler, which SAM's ScheduleV2 makes, writes its detail as text:
https://docs.aws.amazon.com/lambda/latest/dg/with-eventbridge-scheduler.html
A rule of EventBridge, as SAM's Schedule makes one, as an object:
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-run-lambda-schedule.html
"""

from __future__ import annotations

from typing import Any
from uuid import uuid4

ACCOUNT, REGION = "123456789012", "eu-west-1"


def scheduler_event() -> dict[str, Any]:
    schedule = f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/default/passepartout-janitor"
    return _event("aws.scheduler", schedule, "{}")


def rule_event() -> dict[str, Any]:
    return _event("aws.events", f"arn:aws:events:{REGION}:{ACCOUNT}:rule/passepartout-janitor", {})


def _event(source: str, resource: str, detail: str | dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "0",
        "id": str(uuid4()),
        "detail-type": "Scheduled Event",
        "source": source,
        "account": ACCOUNT,
        "time": "2026-11-24T12:00:00Z",
        "region": REGION,
        "resources": [resource],
        "detail": detail,
    }
