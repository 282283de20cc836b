from functions.resize.endpoints import router
from functions.resize.queue import open_queue
from shared.app import create_app
from shared.heap import keep_for_the_next_picture
from shared.metrics.instruments import IMAGE_BYTES, IMAGE_PIXELS, IMAGE_STAGE_DURATION
from shared.on_startup.kafka import open_kafka
from shared.on_startup.memory import open_memory
from shared.on_startup.pictures import open_picture_limits
from shared.on_startup.presets import open_presets
from shared.on_startup.storage import open_storage
from shared.on_startup.threads import open_threads
from shared.on_startup.token_verifier import open_token_verifier
from shared.runtime import LambdaEntry

# Before any thread starts: each that did has a heap of its own.
keep_for_the_next_picture()
app = create_app(
    "resize",
    router,
    resources=[
        open_token_verifier,
        open_picture_limits,
        open_presets,
        open_threads,
        open_memory,
        open_storage,
        open_kafka,
        open_queue,
    ],
    instruments=[IMAGE_BYTES, IMAGE_PIXELS, IMAGE_STAGE_DURATION],
)
handler = LambdaEntry(app)
