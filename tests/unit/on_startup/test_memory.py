"""Memory that pictures took goes back to the system; in a process of its own, as heaps have a past."""

from __future__ import annotations

import subprocess
import sys

import pytest

RESIDENT = """
import asyncio
from pathlib import Path
from fastapi import FastAPI
from shared.heap import keep_for_the_next_picture
from shared.on_startup import memory

keep_for_the_next_picture()
memory.INTERVAL_SECONDS = 0.01

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1])

def blocks():
    return [bytes(60_000) for _ in range(700)]

async def until_given_back(full):
    while resident() > full - 6_000:
        await asyncio.sleep(0.01)
"""
HOLES = """
async def main():
    # What lies on top keeps the rest from being given back by free() alone.
    below, top = blocks(), bytes(60_000)
    full = resident()
    del below
    async with memory.open_memory(FastAPI()):
        await until_given_back(full)
    print(len(top))
"""
OF_A_THREAD = """
async def main():
    async with memory.open_memory(FastAPI()):
        taken = [await asyncio.to_thread(blocks)]
        full = resident()
        taken.clear()
        await until_given_back(full)
    print(60_000)
"""
USED_AGAIN = """
from resource import RUSAGE_SELF, getrusage

async def main():
    memory.INTERVAL_SECONDS = 3600
    faults = []
    async with memory.open_memory(FastAPI()):
        for _ in range(4):
            before = getrusage(RUSAGE_SELF).ru_minflt
            pictures = [b"x" * 16_000_000 for _ in range(4)]
            del pictures
            faults.append(getrusage(RUSAGE_SELF).ru_minflt - before)
    assert sum(faults[1:]) < 100, faults
    print(60_000)
"""


@pytest.mark.parametrize("main", [HOLES, OF_A_THREAD])
def test_it_is_given_back_while_the_app_runs(main: str) -> None:
    _run(main)


def test_between_two_trims_the_next_picture_has_it() -> None:
    _run(USED_AGAIN)


def _run(main: str) -> None:
    program = f"{RESIDENT}{main}\nasyncio.run(main())"
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (0, "60000\n"), ran.stderr
