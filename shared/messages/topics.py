"""The topics. `RETRY` has the messages of `REQUESTED`, each with a time before which it is left alone."""

from shared.messages.resize_completed import ResizeCompleted
from shared.messages.resize_dead import ResizeDead
from shared.messages.resize_requested import ResizeRequested

REQUESTED = ResizeRequested.type_
COMPLETED = ResizeCompleted.type_
RETRY = "image.resize.retry"
DEAD = ResizeDead.type_

TOPICS = (REQUESTED, COMPLETED, RETRY, DEAD)

WORKER_GROUP = "passepartout-worker"
"""The consumer group that shares the work out; what operators are told of its lag, too."""
