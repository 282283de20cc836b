"""The README's commands, taken from it and run as they stand."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.local.bundle import ROOT

BLOCK = re.compile(r"^```(sh|json|http|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
VARYING = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\d{4}-\d\d-\d\dT\S+")
"""An id or a time, in a text."""
CURL_STAND_IN = Path(__file__).parent / "curl_stand_in.py"


@dataclass
class Command:
    line: str
    expected: str | None
    """The answer that the README shows, where it shows one: JSON, a status line, or a text."""
    kind: str = "sh"
    answer: str = ""

    def assert_answered(self) -> None:
        """Values such as ids differ from run to run: the members and their types do not."""
        if self.expected is None:
            return
        if self.expected.startswith("HTTP/"):
            assert self.answer.split("\n")[0].split()[:2] == self.expected.split()[:2], self.line
        elif self.kind == "text":
            assert VARYING.sub("…", self.answer) == VARYING.sub("…", self.expected), self.line
        else:
            assert shape(json.loads(self.answer)) == shape(json.loads(self.expected)), self.line


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return value if isinstance(value, int) or value is None else type(value)


@dataclass
class Readme:
    text: str

    @classmethod
    def read(cls) -> Readme:
        return cls((ROOT / "README.md").read_text())

    def commands(self, *, local: bool = True) -> list[Command]:
        """Return every `sh` block that talks to the running bundle, with the answer right after it.

        Without `local`, those that only `make run` can answer are left out.
        """
        blocks = BLOCK.findall(self.text)
        answers = [*blocks[1:], ("sh", "")]
        return [
            Command(content, answer if kind != "sh" else None, kind)
            for (language, content), (kind, answer) in zip(blocks, answers, strict=True)
            if language == "sh" and ("curl" in content or (local and "--local" in content))
        ]

    def run(self, folder: Path, port: int, metrics_address: str, *, local: bool = True) -> list[Command]:
        """Run them in one shell after the other, as a reader would in one terminal."""
        samples = folder / "infra" / "local" / "samples"
        samples.parent.mkdir(parents=True, exist_ok=True)
        if not samples.exists():
            samples.symlink_to(ROOT / "infra" / "local" / "samples")
        script, commands = ["set -e"], self.commands(local=local)
        for number, command in enumerate(commands):
            line = command.line.replace("localhost:8000", f"localhost:{port}")
            line = line.replace("localhost:9091", metrics_address)
            line = line.replace(".venv/bin/python", shlex.quote(sys.executable))
            script += [f"exec >answer-{number}", line]
        subprocess.run(
            ["sh"],
            input="\n".join(script),
            cwd=folder,
            env={**os.environ, "PATH": _path_with_curl(folder), "PYTHONPATH": str(ROOT)},
            check=True,
            text=True,
            timeout=60,
        )
        for number, command in enumerate(commands):
            command.answer = (folder / f"answer-{number}").read_text()
        return commands


def _path_with_curl(folder: Path) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    if shutil.which("curl"):
        return path
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    program = programs / "curl"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {CURL_STAND_IN} "$@"\n')
    program.chmod(0o755)
    return f"{programs}{os.pathsep}{path}"
