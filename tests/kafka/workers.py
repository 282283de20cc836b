"""Workers as processes of their own, which may be killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
from pathlib import Path


class Workers:
    def __init__(self, log: Path) -> None:
        self._log = open(log, "ab")
        self.running: list[subprocess.Popen[bytes]] = []
        self.killed = 0
        self.ended = 0

    def start(self) -> None:
        command = [sys.executable, "-m", "functions.worker"]
        environment = os.environ | {"LOG_FORMAT": "text"}
        self.running.append(
            subprocess.Popen(
                command, env=environment, stdout=self._log, stderr=self._log, start_new_session=True
            )
        )

    def kill(self) -> None:
        """End one as a crash would: at whatever it is."""
        worker = self.running.pop(random.randrange(len(self.running)))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        self.killed += 1

    def end(self) -> int:
        """End one as a deployment does, and return its status."""
        worker = self.running.pop(0)
        worker.send_signal(signal.SIGTERM)
        self.ended += 1
        return worker.wait(60)

    def close(self) -> None:
        for worker in self.running:
            worker.kill()
            worker.wait()
        self._log.close()
