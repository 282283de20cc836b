from fastapi import APIRouter

from functions.janitor.tasks import clean
from shared.app import create_app
from shared.metrics.instruments import JANITOR_FAILURES, JANITOR_REMOVED, JOBS_OLDEST
from shared.on_startup.database import open_database
from shared.on_startup.kafka import open_kafka
from shared.on_startup.pushed_groups import open_pushed_groups
from shared.on_startup.retention import open_retention
from shared.on_startup.storage import open_storage
from shared.runtime import TaskEntry

app = create_app(
    "janitor",
    APIRouter(),
    resources=[
        open_database,
        open_kafka,
        open_storage,
        open_retention,
        open_pushed_groups,
    ],
    instruments=[JANITOR_REMOVED, JANITOR_FAILURES, JOBS_OLDEST],
)
handler = TaskEntry(app, clean)
