"""The real Apache Kafka, one node: its jars from Maven Central, run by this machine's Java."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from infra.local.ports import HOST, free_port

POM = Path(__file__).parent / "pom.xml"
LIBRARIES = Path(".local/kafka/libs")
CLUSTER = "5L6g3nShT-eMCtK--X86sw"
START_SECONDS = 60
PROPERTIES = """\
node.id=1
process.roles=broker,controller
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{port}
controller.listener.names=CONTROLLER
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
controller.quorum.voters=1@{host}:{controller}
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.dirs={data}
"""


def missing() -> str | None:
    """Return what this machine lacks to run the broker; None where it lacks nothing."""
    lacking = [program for program in ("java", "mvn") if shutil.which(program) is None]
    return " and ".join(lacking) or None


def fetch_libraries() -> None:
    """Raises CalledProcessError where Maven Central cannot be reached."""
    if not list(LIBRARIES.glob("kafka_2.13-*.jar")):
        goal = [
            "dependency:copy-dependencies",
            "-DincludeScope=runtime",
            f"-DoutputDirectory={LIBRARIES.absolute()}",
        ]
        subprocess.run(["mvn", "-q", "-B", "-f", POM, *goal], check=True, stdout=subprocess.DEVNULL)


class Broker:
    """One broker on a port that it keeps, with data that it keeps."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._port = free_port(0)
        self._log = open(folder / "broker.log", "ab")
        self._process: subprocess.Popen[bytes] | None = None
        self._properties = folder / "server.properties"
        self._properties.write_text(
            PROPERTIES.format(host=HOST, port=self._port, controller=free_port(0), data=folder / "data")
        )
        self._run("kafka.tools.StorageTool", "format", "-t", CLUSTER, "-c", str(self._properties)).wait(60)

    @property
    def address(self) -> str:
        return f"{HOST}:{self._port}"

    def start(self) -> None:
        """Return when it listens."""
        self._process = self._run("kafka.Kafka", str(self._properties))
        until = time.monotonic() + START_SECONDS
        while True:
            try:
                socket.create_connection((HOST, self._port), timeout=1).close()
                return
            except OSError:
                assert self._process.poll() is None, (self._folder / "broker.log").read_text()[-3000:]
                assert time.monotonic() < until, "the broker does not listen"
                time.sleep(0.1)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(60)

    def close(self) -> None:
        self.stop(signal.SIGKILL)
        self._log.close()

    def _run(self, main: str, *arguments: str) -> subprocess.Popen[bytes]:
        java = ["java", "-Xms256m", "-Xmx512m", "-cp", f"{LIBRARIES.absolute()}/*", main, *arguments]
        return subprocess.Popen(java, stdout=self._log, stderr=self._log, start_new_session=True)
