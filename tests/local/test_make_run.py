from __future__ import annotations

import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import httpx
import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from infra.gateway.routes import read_routes
from infra.local.curl import curl_lines
from infra.local.keys import local_keys
from infra.local.main_job import USERNAME, main_job
from infra.local.postgres import postgres
from tests.local.bundle import Bundle, free_port, running, start
from tests.local.readme import Readme

# In order: what is started by the first is stopped by the fifth, and looked at after that.


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bundle")


@pytest.fixture(scope="module")
def bundle(folder: Path) -> Iterator[Bundle]:
    with running(folder) as bundle:
        yield bundle


def test_does_the_main_job_and_shows_it(bundle: Bundle) -> None:
    job = [line.split()[:2] for line in bundle.printed if line.endswith(" ms")]
    assert job == [["register", "201"], ["login", "200"], ["resize", "200"], ["refresh", "200"]]
    with Image.open(bundle.folder / "temp.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (200, 133))


def test_prints_the_curl_lines_of_the_readme(bundle: Bundle) -> None:
    assert curl_lines(bundle.port) in "\n".join(bundle.printed) + "\n"
    assert curl_lines(8000).split("\n\n")[0] in Readme.read().text


def test_every_command_of_the_readme_answers_as_it_says(bundle: Bundle) -> None:
    ran = Readme.read().run(bundle.folder, bundle.port, bundle.metrics_address)
    assert len(ran) >= 6
    for command in ran:
        command.assert_answered()
    with Image.open(bundle.folder / "temp.png") as picture:
        assert (picture.format, picture.width) == ("PNG", 200)


async def test_main_job_is_done_as_well_when_its_user_is_kept_from_before(
    bundle: Bundle, tmp_path: Path
) -> None:
    password = local_keys(bundle.folder / ".local" / "keys.json")["DEMO_PASSWORD"]
    base_url = f"http://127.0.0.1:{bundle.port}"
    steps = [step async for step in main_job(base_url, password, tmp_path / "temp.png")]
    assert [step.answer.status_code for step in steps] == [409, 200, 200, 200]


def test_second_run_on_the_same_port_is_told_what_holds_it(bundle: Bundle) -> None:
    second = start(bundle.folder, bundle.port)
    printed, _ = second.process.communicate(timeout=30)
    assert printed == f"make run: another `make run` serves on port {bundle.port}: stop it first\n"
    assert second.process.returncode == 1


def test_second_run_on_the_same_data_is_refused_in_one_line(bundle: Bundle) -> None:
    second = start(bundle.folder, free_port())
    printed, _ = second.process.communicate(timeout=30)
    assert second.process.returncode == 1
    assert "make run: another `make run` uses .local/: stop it first" in printed.splitlines()
    assert "Traceback" not in printed


def test_ctrl_c_pushes_the_last_metrics_and_leaves_nothing_running(bundle: Bundle) -> None:
    [url] = {match for line in bundle.printed for match in re.findall(r"(http://\S+/metrics)", line)}
    environments = {
        (sample.labels["job"], sample.labels["instance"])
        for family in text_string_to_metric_families(httpx.get(url).text)
        for sample in family.samples
        if sample.name == "passepartout_http_request_duration_seconds_count"
    }
    assert {job for job, _ in environments} >= {route.function for route in read_routes()}
    status, alive = bundle.stop(signal.SIGINT)
    assert (status, alive) == (0, [])
    assert bundle.printed[-1] == "Passepartout has stopped."
    assert "Traceback" not in "\n".join(bundle.printed)


@pytest.mark.parametrize("line", ["PostgreSQL", "The main job, once:"])
def test_sigterm_stops_it_even_while_it_starts(bundle: Bundle, line: str) -> None:
    again = start(bundle.folder, free_port())
    again.wait_for(line)
    assert again.stop(signal.SIGTERM) == (0, [])
    assert again.printed[-1] == "Passepartout has stopped."
    assert "Traceback" not in "\n".join(again.printed)


async def test_data_is_kept(bundle: Bundle) -> None:
    with postgres(bundle.folder / ".local" / "postgres") as url:
        connection = await asyncpg.connect(url)
        kept = await connection.fetch("SELECT username FROM identity.users")
        await connection.close()
    assert USERNAME in {row["username"] for row in kept}


def test_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        refused = start(tmp_path, port)
        printed, _ = refused.process.communicate(timeout=30)
    advice = f"stop what uses it, or choose another: make run PORT={port + 1}"
    assert (refused.process.returncode, printed) == (1, f"make run: port {port} is taken: {advice}\n")
    assert not (tmp_path / ".local").exists()
