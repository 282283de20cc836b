from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg
import httpx
import psutil
import pytest
from PIL import Image
from prometheus_client.parser import text_string_to_metric_families

from infra.gateway.routes import read_routes
from infra.local.curl import curl_lines
from infra.local.keys import local_keys
from infra.local.main_job import USERNAME, main_job
from infra.local.postgres import postgres
from tests.accounts import is_alive as session_is_alive
from tests.accounts import sign_in
from tests.local.bundle import (
    CLEANLY,
    READY,
    Bundle,
    Stopped,
    free_port,
    is_alive,
    processes_in,
    refused,
    started,
)
from tests.local.readme import Readme


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # Not one of pytest's: of those of root, PostgreSQL's own user cannot enter one.
    with TemporaryDirectory() as name:
        yield Path(name)


@pytest.fixture(scope="module")
def bundle(folder: Path) -> Iterator[Bundle]:
    with started(folder, free_port()) as bundle:
        bundle.wait_for(READY)
        yield bundle


@pytest.fixture(scope="module")
def stopped(bundle: Bundle) -> Stopped:
    """What Ctrl-C left of it. The tests that ask for this stand last, as it runs no more."""
    return bundle.stop(signal.SIGINT)


def test_does_the_main_job_and_shows_it(bundle: Bundle) -> None:
    job = [line.split()[:2] for line in bundle.printed if line.endswith(" ms")]
    assert job == [["register", "201"], ["login", "200"], ["resize", "200"], ["refresh", "200"]]
    with Image.open(bundle.folder / "temp.png") as picture:
        assert (picture.format, picture.size) == ("PNG", (200, 133))


def test_prints_the_curl_lines_of_the_readme(bundle: Bundle) -> None:
    assert curl_lines(bundle.port, bundle.metrics_address) in "\n".join(bundle.printed) + "\n"
    for lines in curl_lines(8000, "localhost:9091").strip().split("\n\n"):
        assert f"```sh\n{lines}\n```" in Readme.read().text


def test_every_command_of_the_readme_answers_as_it_says(bundle: Bundle) -> None:
    ran = Readme.read().run(bundle.folder, bundle.port, bundle.metrics_address)
    assert len(ran) >= 6
    for command in ran:
        command.assert_answered()
    with Image.open(bundle.folder / "temp.png") as picture:
        assert (picture.format, picture.width) == ("PNG", 200)
    assert (bundle.folder / "large.jpg").stat().st_size > 11_000_000
    with Image.open(bundle.folder / "small.jpg") as picture:
        assert (picture.format, picture.width) == ("JPEG", 800)


async def test_main_job_is_done_as_well_when_its_user_is_kept_from_before(
    bundle: Bundle, tmp_path: Path
) -> None:
    password = local_keys(bundle.folder / ".local" / "keys.json")["DEMO_PASSWORD"]
    base_url = f"http://127.0.0.1:{bundle.port}"
    steps = [step async for step in main_job(base_url, password, tmp_path / "temp.png")]
    assert [step.answer.status_code for step in steps] == [409, 200, 200, 200]


async def test_session_is_ended_by_its_address(bundle: Bundle) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{bundle.port}", timeout=30) as client:
        user, other = await sign_in(client), await sign_in(client)
        addresses = [f"/auth/sessions/{each.session_id}" for each in (other, user, user)]
        answers = [await client.delete(each, headers=user.authorization) for each in addresses]
        assert [answer.status_code for answer in answers] == [404, 204, 401]
        assert await session_is_alive(client, other)


def test_pushgateway_has_a_group_a_function_and_environment(bundle: Bundle) -> None:
    groups = {
        (sample.labels["job"], sample.labels["instance"])
        for family in text_string_to_metric_families(
            httpx.get(f"http://{bundle.metrics_address}/metrics").text
        )
        for sample in family.samples
        if sample.name == "passepartout_http_request_duration_seconds_count"
    }
    assert {job for job, _ in groups} >= {route.function for route in read_routes()}


def test_second_run_on_the_same_data_is_refused_in_one_line_whatever_its_port(bundle: Bundle) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        for port in (free_port(), bundle.port, other.getsockname()[1]):
            line = refused(bundle.folder, port)
            assert line == "make run: another `make run` uses .local/: stop it first"


def test_taken_port_is_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = refused(tmp_path, port)
    advice = f"stop what uses it, or choose another: make run PORT={port + 1}"
    assert line == f"make run: port {port} is taken: {advice}"
    assert not (tmp_path / ".local").exists()


@pytest.mark.parametrize(
    ("name", "value", "line"),
    [
        ("PORT", "http", "PORT=http is no port: give a number from 1 to 65535"),
        ("GATEWAY", "sam", "GATEWAY=sam: it is runtime or asgi"),
        ("LOG_LEVEL", "debug", "configuration: LOG_LEVEL: Input should be"),
    ],
)
def test_wrong_setting_is_one_line(
    folder: Path, stopped: Stopped, monkeypatch: pytest.MonkeyPatch, name: str, value: str, line: str
) -> None:
    port = free_port()
    with monkeypatch.context() as patch:
        patch.setenv(name, value)
        assert refused(folder, port if name != "PORT" else value).startswith(f"make run: {line}")


def test_ctrl_c_leaves_nothing_running(bundle: Bundle, stopped: Stopped) -> None:
    assert stopped == CLEANLY
    assert bundle.printed[-1] == "Passepartout has stopped."
    assert "Traceback" not in "\n".join(bundle.printed)


@pytest.mark.usefixtures("stopped")
@pytest.mark.parametrize("line", ["PostgreSQL", "Pushgateway"])
def test_sigterm_stops_it_even_while_it_starts(folder: Path, line: str) -> None:
    with started(folder, free_port()) as again:
        again.wait_for(line)
        assert again.stop(signal.SIGTERM) == CLEANLY
    assert again.printed[-1] == "Passepartout has stopped."
    assert "Traceback" not in "\n".join(again.printed)


@pytest.mark.usefixtures("stopped")
def test_stops_when_nobody_reads_what_it_prints_any_more(folder: Path) -> None:
    with started(folder, free_port()) as again:
        again.wait_for("PostgreSQL")
        assert again.process.stdout is not None
        again.process.stdout.close()
        again.process.send_signal(signal.SIGHUP)
        again.process.wait(30)


@pytest.mark.usefixtures("stopped")
def test_killed_it_leaves_nothing_running_and_starts_again_at_once(folder: Path) -> None:
    port = free_port()
    with started(folder, port) as killed:
        killed.wait_for(READY)
        programs = processes_in(folder)
        killed.process.kill()
        with started(folder, port) as again:
            killed.process.communicate(timeout=30)
            _, alive = psutil.wait_procs(programs, timeout=30)
            assert [each for each in alive if is_alive(each)] == []
            again.wait_for(READY)
            assert again.stop(signal.SIGINT) == CLEANLY


@pytest.mark.usefixtures("stopped")
async def test_data_is_kept(folder: Path) -> None:
    with postgres(folder / ".local" / "postgres") as url:
        connection = await asyncpg.connect(url)
        kept = await connection.fetch("SELECT username FROM identity.users")
        await connection.close()
    assert USERNAME in {row["username"] for row in kept}
