from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import httpx
import pytest
from prometheus_client import Counter
from sqlalchemy import text

from functions.janitor import service
from functions.janitor.service import Chore, ExpiredSessions, Janitor, StaleGroups
from infra.local.ports import HOST, listen
from shared.config import DatabaseSettings
from shared.db.session import Database
from shared.errors import ChoresFailed
from shared.metrics import pushed_groups
from shared.metrics.instruments import JANITOR_FAILURES, JANITOR_REMOVED
from shared.metrics.pushed_groups import Group, PushedGroups
from shared.on_startup.database import create_engine
from shared.repositories.sessions import Sessions
from shared.repositories.unit_of_work import Repositories, UnitOfWork, unit_of_work
from shared.security.refresh_tokens import RefreshToken, RefreshTokens
from tests.integration.problems import assert_problem
from tests.pushgateway import Gateway, served_gateway
from tests.sessions import DAY, SECOND, add_session, stored

WEEK = 7 * DAY
MINUTE = timedelta(minutes=1)
OWN = Group("janitor", "environment-1")
LOG_STREAM = "2026/11/24/[$LATEST]0f3c"
DEAD = "127.0.0.1:1"


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    with served_gateway(monkeypatch) as gateway:
        yield gateway


def _database(url: str) -> Database:
    return Database(create_engine(DatabaseSettings.from_environment({"DATABASE_URL": url})))


def _stale_groups(url: str) -> StaleGroups:
    return StaleGroups(PushedGroups(url, OWN, 300))


async def _remove_sessions(begin: UnitOfWork) -> int:
    return (await Janitor([ExpiredSessions(begin)]).clean())["expired_sessions"]


async def _remove_groups(gateway: Gateway) -> int:
    return (await Janitor([_stale_groups(gateway.url)]).clean())["stale_groups"]


def _count(counter: Counter, kind: str) -> float | None:
    samples = [sample for family in counter.collect() for sample in family.samples]
    return next((sample.value for sample in samples if sample.labels == {"kind": kind}), None)


async def test_sessions_are_removed_a_week_after_their_last_token_has_ended(
    begin: UnitOfWork, database_url: str
) -> None:
    before = _count(JANITOR_REMOVED, "expired_sessions") or 0
    kept = {
        "live": await add_session(database_url, ended=-DAY),
        "expired": await add_session(database_url, ended=MINUTE),
        "about to go": await add_session(database_url, ended=WEEK - MINUTE),
        "revoked": await add_session(database_url, ended=-DAY, revoked=MINUTE),
        "revoked a week ago": await add_session(database_url, ended=WEEK - DAY, revoked=WEEK + MINUTE),
    }
    gone = {
        "expired": await add_session(database_url, ended=WEEK + SECOND),
        "revoked": await add_session(database_url, ended=WEEK + SECOND, revoked=WEEK + DAY),
        "long ago": await add_session(database_url, ended=400 * DAY),
    }
    users = await stored(database_url, "users")
    assert await _remove_sessions(begin) == 3
    assert await stored(database_url) & {*kept.values(), *gone.values()} == set(kept.values())
    assert await stored(database_url, "users") == users
    assert _count(JANITOR_REMOVED, "expired_sessions") == before + 3
    assert await _remove_sessions(begin) == 0


async def test_session_that_was_refreshed_up_to_its_absolute_end_goes_a_week_after_that(
    database: Database, begin: UnitOfWork, database_url: str
) -> None:
    session_id = await add_session(database_url, ended=-MINUTE)
    age = text(
        "UPDATE identity.sessions SET created_at = created_at - :created * interval '1 s',"
        " expires_at = expires_at - :expires * interval '1 s' WHERE id = :id"
    )

    async def move(*, created: timedelta, expires: timedelta) -> None:
        seconds = {"created": created.total_seconds(), "expires": expires.total_seconds()}
        async with database.transaction() as session:
            await session.execute(age, {**seconds, "id": session_id})

    await move(created=29 * DAY - MINUTE, expires=timedelta())
    async with database.transaction() as session:
        state = await Sessions(session).rotate(RefreshToken(session_id, 0))
    assert state is not None and 0 < state.expires_in.total_seconds() <= 120
    await move(created=WEEK, expires=WEEK)
    assert await _remove_sessions(begin) == 0
    await move(created=3 * MINUTE, expires=3 * MINUTE)
    assert await _remove_sessions(begin) == 1
    assert session_id not in await stored(database_url)


async def test_tokens_of_what_was_kept_and_of_what_was_removed_are_refused_by_their_codes(
    client: httpx.AsyncClient, begin: UnitOfWork, database_url: str, keys: dict[str, str]
) -> None:
    tokens = RefreshTokens(keys["REFRESH_TOKEN_KEY"].encode())
    codes = {
        await add_session(database_url, ended=WEEK - MINUTE): "refresh_token_expired",
        await add_session(database_url, ended=-MINUTE, revoked=MINUTE): "refresh_token_invalid",
        await add_session(database_url, ended=WEEK + MINUTE): "refresh_token_invalid",
        await add_session(database_url, ended=WEEK + MINUTE, revoked=WEEK + DAY): "refresh_token_invalid",
    }
    assert await _remove_sessions(begin) == 2
    for session_id, code in codes.items():
        body = {"refresh_token": tokens.encode(RefreshToken(session_id, 0))}
        assert_problem(await client.post("/auth/refresh", json=body), 401, code)


async def test_backlog_is_worked_off_in_batches_the_oldest_first(
    begin: UnitOfWork, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ROWS_PER_BATCH", 2)
    monkeypatch.setattr(service, "BATCHES_PER_EVENT", 2)
    ended = [await add_session(database_url, ended=WEEK + days * DAY) for days in (3, 1, 5, 4, 2)]
    steps = [count async for count in ExpiredSessions(begin).remove()]
    assert steps == [2, 2]
    assert await stored(database_url) & set(ended) == {ended[1]}
    assert [count async for count in ExpiredSessions(begin).remove()] == [1]


async def test_batches_before_one_that_failed_stay_removed_and_counted(
    begin: UnitOfWork, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ROWS_PER_BATCH", 1)
    ended = {await add_session(database_url, ended=WEEK + DAY) for _ in range(3)}
    begun = 0

    @asynccontextmanager
    async def fails_the_third_time(*, atomic: bool = True) -> AsyncIterator[Repositories]:
        nonlocal begun
        async with begin(atomic=atomic) as repositories:
            yield repositories
            begun += 1
            if begun == 3:
                raise LookupError("x")

    before = _count(JANITOR_REMOVED, "expired_sessions") or 0
    with pytest.raises(ChoresFailed):
        await _remove_sessions(fails_the_third_time)
    assert len(await stored(database_url) & ended) == 1
    assert _count(JANITOR_REMOVED, "expired_sessions") == before + 2
    assert await _remove_sessions(begin) == 1


async def test_rows_of_another_janitor_are_left_to_it_without_a_wait(
    database: Database, begin: UnitOfWork, database_url: str
) -> None:
    theirs = await add_session(database_url, ended=WEEK + 2 * DAY)
    rest = {await add_session(database_url, ended=WEEK + DAY) for _ in range(2)}
    async with database.transaction() as session:
        assert await Sessions(session).delete_ended(WEEK, at_most=1) == 1
        assert await asyncio.wait_for(_remove_sessions(begin), 5) == 2
        assert await stored(database_url) & {theirs, *rest} == {theirs}
    assert theirs not in await stored(database_url)


async def test_two_janitors_at_once_remove_everything_once(
    begin: UnitOfWork, database_url: str, gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "ROWS_PER_BATCH", 3)
    live = await add_session(database_url, ended=-DAY)
    ended = {await add_session(database_url, ended=WEEK + DAY) for _ in range(10)}
    gateway.seconds_ago = 301
    gateway.push("login", "ended")
    gateway.seconds_ago = 0
    gateway.push("login", "live")
    chores = [ExpiredSessions(begin), _stale_groups(gateway.url)]
    answers = await asyncio.gather(Janitor(chores).clean(), Janitor(chores).clean())
    assert sum(answer["expired_sessions"] for answer in answers) == 10
    assert await stored(database_url) & {live, *ended} == {live}
    assert gateway.groups() == {("login", "live")}


async def test_groups_of_functions_that_fell_silent_are_removed_and_no_others(gateway: Gateway) -> None:
    gateway.seconds_ago = 301
    gateway.push("login", "ended")
    gateway.push("resize", LOG_STREAM)
    gateway.push(OWN.job, OWN.instance)
    ours = "# TYPE passepartout_push_failures_total counter\npassepartout_push_failures_total 0\n"
    gateway.push_text("job/backup/instance/a", "backup_seconds 7\n")
    gateway.push_text("job/login/instance/b", "logins_total 7\n")
    gateway.push_text("job/login/instance/c/zone/z", ours)
    gateway.push_text("job/login", ours)
    gateway.push_text("job/backup/instance/d", 'x{y="\rpassepartout_push_failures_total{} 1"} 1\n')
    kept = gateway.groups() - {("login", "ended"), ("resize", LOG_STREAM)}
    gateway.seconds_ago = 290
    gateway.push("login", "live")
    gateway.push("resize", "ended")
    before = _count(JANITOR_REMOVED, "stale_groups") or 0
    assert await _remove_groups(gateway) == 2
    assert gateway.groups() == {*kept, ("login", "live"), ("resize", "ended")} and len(kept) == 6
    assert _count(JANITOR_REMOVED, "stale_groups") == before + 2
    assert await _remove_groups(gateway) == 0


@pytest.mark.parametrize("spelled", ["{address}", "http://{address}/"])
async def test_address_is_read_as_the_push_reads_it(gateway: Gateway, spelled: str) -> None:
    url = spelled.format(address=gateway.url.removeprefix("http://"))
    gateway.seconds_ago = 301
    gateway.push("login", "ended")
    assert await Janitor([_stale_groups(url)]).clean() == {"stale_groups": 1}
    assert gateway.groups() == set()


async def test_deletion_that_is_refused_is_an_error(gateway: Gateway) -> None:
    with pytest.raises(OSError, match="DELETE http://.* answered 400"):
        await PushedGroups(gateway.url, OWN, 300).delete(Group("", "x"))


async def test_sessions_are_removed_while_the_pushgateway_is_down(
    begin: UnitOfWork, database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    ended = await add_session(database_url, ended=WEEK + DAY)
    before = _count(JANITOR_FAILURES, "stale_groups") or 0
    with pytest.raises(ChoresFailed, match="^stale_groups$"):
        await Janitor([_stale_groups(DEAD), ExpiredSessions(begin)]).clean()
    assert ended not in await stored(database_url)
    assert _count(JANITOR_FAILURES, "stale_groups") == before + 1
    [failure] = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert failure.getMessage().startswith("stale_groups failed: ConnectionRefusedError: ")
    assert not failure.exc_info


async def test_groups_are_removed_while_the_database_is_down(gateway: Gateway) -> None:
    gateway.seconds_ago = 301
    gateway.push("login", "ended")
    before = _count(JANITOR_FAILURES, "expired_sessions") or 0
    sessions = ExpiredSessions(await unit_of_work(_database(f"postgresql://postgres@{DEAD}/nowhere")))
    with pytest.raises(ChoresFailed, match="^expired_sessions$"):
        await Janitor([sessions, _stale_groups(gateway.url)]).clean()
    assert gateway.groups() == set()
    assert _count(JANITOR_FAILURES, "expired_sessions") == before + 1


async def test_pushgateway_that_does_not_answer_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pushed_groups, "TOTAL_TIMEOUT_SECONDS", 0.05)
    with listen(0) as silent, pytest.raises(ChoresFailed, match="^stale_groups$"):
        await Janitor([_stale_groups(f"{HOST}:{silent.getsockname()[1]}")]).clean()
    assert "stale_groups failed: TimeoutError" in caplog.text


async def test_answer_may_take_longer_than_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pushed_groups, "CONNECT_TIMEOUT_SECONDS", 0.05)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.1)
        writer.write(b"HTTP/1.0 200 OK\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(answer, HOST, 0) as server:
        address = f"{HOST}:{server.sockets[0].getsockname()[1]}"
        assert await Janitor([_stale_groups(address)]).clean() == {"stale_groups": 0}


async def test_pushgateway_that_answers_without_an_end_is_given_up(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(pushed_groups, "TOTAL_TIMEOUT_SECONDS", 0.1)
    given_up = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while not given_up.is_set():
            writer.write(b"H")
            await asyncio.sleep(0.01)
        writer.close()

    async with await asyncio.start_server(answer, HOST, 0) as server:
        address = f"{HOST}:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(ChoresFailed, match="^stale_groups$"):
            await asyncio.wait_for(Janitor([_stale_groups(address)]).clean(), 5)
        given_up.set()
    assert "stale_groups failed: TimeoutError" in caplog.text


async def test_chore_that_hangs_or_breaks_leaves_time_for_the_others(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "CHORE_SECONDS", 0.01)

    @dataclass(frozen=True)
    class Test(Chore):
        """Removes one, and then does what the test wants."""

        then: str

        kind = "test"

        async def remove(self) -> AsyncIterator[int]:
            yield 1
            if self.then == "hang":
                await asyncio.Event().wait()
            if self.then == "break":
                raise LookupError("hunter2")

    assert (_count(JANITOR_REMOVED, "test"), _count(JANITOR_FAILURES, "test")) == (0, 0)
    with pytest.raises(ChoresFailed, match="^test, test$"):
        await Janitor([Test("hang"), Test("break"), Test("end")]).clean()
    assert (_count(JANITOR_REMOVED, "test"), _count(JANITOR_FAILURES, "test")) == (3, 2)
    hung, broken = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert (bool(hung.exc_info), bool(broken.exc_info)) == (False, True)


async def test_no_pushgateway_is_no_failure() -> None:
    assert await Janitor([StaleGroups(None)]).clean() == {"stale_groups": 0}
