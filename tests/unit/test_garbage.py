"""When garbage is looked for, in a process of its own: that is a state of the whole process."""

from __future__ import annotations

import subprocess
import sys

import pytest

STARTED = """
import asyncio, gc, {loaded}
import functions
loading = gc.isenabled()
from fastapi import APIRouter
from shared.app import create_app

async def main():
    app = create_app("any", APIRouter())
    async with app.router.lifespan_context(app):
        print(loading, gc.isenabled(), gc.get_freeze_count() > 10_000)

asyncio.run(main())
"""


@pytest.mark.parametrize(("loaded", "loading"), [("awslambdaric", False), ("uvicorn", True)])
def test_none_is_looked_for_while_a_cold_start_loads_and_what_it_loads_is_spared(
    loaded: str, loading: bool
) -> None:
    program = STARTED.format(loaded=loaded)
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (ran.returncode, ran.stdout) == (0, f"{loading} True True\n"), ran.stderr
