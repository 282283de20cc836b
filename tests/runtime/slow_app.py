"""A function of ours that is slow enough to be interrupted."""

from __future__ import annotations

import asyncio
import os

from fastapi import APIRouter

from shared.app import create_app
from shared.runtime import LambdaEntry

router = APIRouter()


@router.post("/do/slow")
async def answer_slowly() -> int:
    await asyncio.sleep(0.3)
    return os.getpid()


@router.post("/do/pid")
async def answer() -> int:
    return os.getpid()


handler = LambdaEntry(create_app("slow", router))
