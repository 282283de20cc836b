from fastapi import APIRouter

from functions.worker.tasks import process_event
from shared.app import create_app
from shared.heap import keep_for_the_next_picture
from shared.metrics.instruments import (
    CONSUMER_LAG,
    DEAD_RECORDS,
    IMAGE_BYTES,
    IMAGE_PIXELS,
    IMAGE_STAGE_DURATION,
    JOB_ATTEMPTS,
    JOB_DURATION,
    JOB_QUEUE_DURATION,
    JOB_WORK_DURATION,
    JOBS,
)
from shared.on_startup.database import open_database
from shared.on_startup.kafka import open_kafka
from shared.on_startup.memory import open_memory
from shared.on_startup.pictures import open_picture_limits
from shared.on_startup.storage import open_storage
from shared.on_startup.threads import open_threads
from shared.runtime import TaskEntry

# Before any thread starts: each that did has a heap of its own.
keep_for_the_next_picture()
app = create_app(
    "worker",
    APIRouter(),
    resources=[open_database, open_storage, open_kafka, open_picture_limits, open_threads, open_memory],
    instruments=[
        *(JOBS, JOB_ATTEMPTS, JOB_DURATION, JOB_QUEUE_DURATION, JOB_WORK_DURATION, CONSUMER_LAG),
        DEAD_RECORDS,
        *(IMAGE_BYTES, IMAGE_PIXELS, IMAGE_STAGE_DURATION),
    ],
)
handler = TaskEntry(app, process_event)
