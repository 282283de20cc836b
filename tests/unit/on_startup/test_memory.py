"""Memory that pictures took goes back to the system; in a process of its own, as heaps have a past."""

from __future__ import annotations

import subprocess
import sys

HOLES = """
import asyncio, time
from pathlib import Path
from fastapi import FastAPI
from shared.on_startup import memory

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])

async def main():
    memory.INTERVAL_SECONDS = 0.01
    # What lies on top keeps the rest from being given back by free() alone.
    below = [bytes(60_000) for _ in range(1000)]
    top = bytes(60_000)
    full = resident()
    del below
    async with memory.open_memory(FastAPI()):
        while resident() > full - 10_000:
            await asyncio.sleep(0.01)
    print(len(top))

asyncio.run(main())
"""


def test_it_is_given_back_while_the_app_runs() -> None:
    ran = subprocess.run([sys.executable, "-c", HOLES], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (0, "60000\n"), ran.stderr
