"""Our engine without a server or a queue around it, on all cores of one process, as those have it."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from shared.heap import keep_for_the_next_picture
from shared.images.limits import Limits
from shared.images.options import ProcessingOptions
from shared.images.pipeline import resize

LIMITS = Limits(2**25, 2**26)
WARM_UP = 4


def on_all_cores(source: bytes, options: ProcessingOptions, pictures: int) -> tuple[float, float]:
    """Return how many a second, and the CPU ms of one."""
    keep_for_the_next_picture()
    work = partial(resize, source, options, LIMITS)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(lambda _: work(), range(WARM_UP)))
        started, cpu = time.perf_counter(), time.process_time()
        list(pool.map(lambda _: work(), range(pictures)))
        return pictures / (time.perf_counter() - started), (time.process_time() - cpu) / pictures * 1000
