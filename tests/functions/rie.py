"""AWS's Runtime Interface Emulator, from the wheel of the SAM CLI: one function, as Lambda runs it.

https://github.com/aws/aws-lambda-runtime-interface-emulator
"""

from __future__ import annotations

import os
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from infra.local.ports import HOST, free_port

SAM_CLI = "aws-sam-cli==1.170.0"
LOCATE = "import pathlib, samcli.local.rapid as rapid; print(pathlib.Path(*rapid.__path__))"
MACHINES = {"x86_64": "x86_64", "aarch64": "arm64"}
INVOKE = "/2015-03-31/functions/function/invocations"


def emulator() -> Path:
    """Return the emulator's program. Raises CalledProcessError where the wheel cannot be had."""
    # In an environment of its own: its pins clash with ours.
    command = [".local/tools/bin/uv", "tool", "run", "--quiet", "--python", sys.executable, "--from", SAM_CLI]
    found = subprocess.run([*command, "python", "-c", LOCATE], check=True, capture_output=True, text=True)
    return Path(found.stdout.strip()) / f"aws-lambda-rie-{MACHINES[platform.machine()]}"


class Emulated:
    """A function under the emulator. Two events at once would crash it."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client

    def invoke(self, event: dict[str, Any]) -> Any:
        """Return what the function answers."""
        return self._client.post(INVOKE, json=event).json()


@contextmanager
def emulated(program: Path, function: str) -> Iterator[Emulated]:
    """Run a function until the end of the block."""
    invoke, runtime_api = (f"{HOST}:{free_port(0)}" for _ in range(2))
    process = subprocess.Popen(
        [
            program,
            *("--runtime-interface-emulator-address", invoke, "--runtime-api-address", runtime_api),
            *(sys.executable, "-m", "awslambdaric", f"functions.{function}.handler.handler"),
        ],
        env=os.environ
        | {"AWS_EXECUTION_ENV": "AWS_Lambda_python3.13", "AWS_LAMBDA_FUNCTION_TIMEOUT": "30"}
        | {"PYTHONPATH": str(Path.cwd())},
        start_new_session=True,
    )
    transport = httpx.HTTPTransport(retries=6)
    try:
        with httpx.Client(base_url=f"http://{invoke}", transport=transport, timeout=60) as client:
            yield Emulated(client)
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(10)
