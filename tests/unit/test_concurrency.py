from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import Future
from types import SimpleNamespace

import pytest

from shared import concurrency
from shared.concurrency import BoundedThreads
from shared.errors import TooBusy, TooSlow

PATIENCE_SECONDS = 10
"""Only a test that fails waits so long."""


class Gate:
    """Work that says when it has begun, and ends when it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.released = threading.Event()

    def __call__(self) -> int:
        self.begun.set()
        assert self.released.wait(PATIENCE_SECONDS)
        return 1

    async def until_begun(self) -> None:
        assert await asyncio.to_thread(self.begun.wait, PATIENCE_SECONDS)


class Pool(BoundedThreads[int]):
    """Says when the place of a call has become free."""

    def __init__(self, threads: int, queue: int) -> None:
        super().__init__(threads, queue)
        self.free = threading.Semaphore(0)

    def _leave(self, done: Future[int]) -> None:
        super()._leave(done)
        self.free.release()

    async def until_free(self) -> None:
        assert await asyncio.to_thread(self.free.acquire, True, PATIENCE_SECONDS)


@pytest.fixture
def gates() -> Iterator[list[Gate]]:
    gates = [Gate() for _ in range(4)]
    yield gates
    for gate in gates:
        gate.released.set()


@pytest.fixture
def pool(gates: list[Gate]) -> Iterator[Pool]:
    pool = Pool(threads=1, queue=1)
    yield pool
    for gate in gates:
        gate.released.set()
    pool.close()


def one() -> int:
    return 1


def fail() -> int:
    raise KeyError("work")


def never() -> int:
    raise AssertionError("refused work has run")


async def fill(pool: Pool, gates: list[Gate]) -> list[asyncio.Task[int]]:
    """Take the thread and the one place before it."""
    tasks = [asyncio.create_task(pool.run(gate)) for gate in gates[:2]]
    await gates[0].until_begun()
    return tasks


async def leave(task: asyncio.Task[int]) -> None:
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_work_runs_off_the_event_loop(pool: Pool) -> None:
    assert await pool.run(threading.get_ident) != threading.get_ident()


async def test_as_many_run_at_once_as_there_are_threads() -> None:
    threads, meeting = Pool(threads=2, queue=0), threading.Barrier(2)
    work = [threads.run(lambda: meeting.wait(PATIENCE_SECONDS)) for _ in range(2)]
    assert sorted(await asyncio.gather(*work)) == [0, 1]
    threads.close()


async def test_no_more_run_at_once_than_there_are_threads(pool: Pool, gates: list[Gate]) -> None:
    tasks = await fill(pool, gates)
    assert not gates[1].begun.is_set()
    gates[0].released.set()
    await gates[1].until_begun()
    gates[1].released.set()
    assert await asyncio.gather(*tasks) == [1, 1]


async def test_work_beyond_the_capacity_is_refused_before_it_runs(pool: Pool, gates: list[Gate]) -> None:
    await fill(pool, gates)
    with pytest.raises(TooBusy) as refusal:
        await pool.run(never)
    assert (refusal.value.limit, refusal.value.actual, refusal.value.retry_after) == (2, 3, 1)


async def test_refusals_take_no_place(pool: Pool, gates: list[Gate]) -> None:
    tasks = await fill(pool, gates)
    for _ in range(5):
        with pytest.raises(TooBusy):
            await pool.run(never)
    for gate in gates:
        gate.released.set()
    await asyncio.gather(*tasks)
    assert await asyncio.gather(*[pool.run(one) for _ in range(pool.capacity)]) == [1, 1]


async def test_success_frees_the_place(pool: Pool) -> None:
    assert [await pool.run(one) for _ in range(3 * pool.capacity)] == [1] * 3 * pool.capacity


async def test_failure_reaches_the_caller_and_frees_the_place(pool: Pool) -> None:
    for _ in range(3 * pool.capacity):
        with pytest.raises(KeyError, match="work"):
            await pool.run(fail)
    assert await pool.run(one) == 1


async def test_place_of_a_caller_who_left_is_free_when_the_thread_is_done(
    pool: Pool, gates: list[Gate]
) -> None:
    running, waiting = await fill(pool, gates)
    await leave(running)
    with pytest.raises(TooBusy):
        await pool.run(never)
    gates[0].released.set()
    await pool.until_free()
    taken = asyncio.create_task(pool.run(one))
    gates[1].released.set()
    assert await asyncio.gather(*[waiting, taken]) == [1, 1]


async def test_caller_who_left_the_queue_leaves_a_place_and_no_work(pool: Pool, gates: list[Gate]) -> None:
    running, waiting = await fill(pool, gates)
    await leave(waiting)
    await pool.until_free()
    taken = asyncio.create_task(pool.run(one))
    gates[0].released.set()
    assert await asyncio.gather(*[running, taken]) == [1, 1]
    assert not gates[1].begun.is_set()


async def test_closing_drops_what_waits_and_ends_what_runs(pool: Pool, gates: list[Gate]) -> None:
    running, waiting = await fill(pool, gates)
    closing = asyncio.create_task(asyncio.to_thread(pool.close))
    with pytest.raises(asyncio.CancelledError):
        await waiting
    gates[0].released.set()
    await closing
    assert await running == 1 and not gates[1].begun.is_set()


async def test_closing_waits_for_no_thread_that_does_not_end(
    pool: Pool, gates: list[Gate], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concurrency, "CLOSE_SECONDS", 0.01)
    running, waiting = await fill(pool, gates)
    await asyncio.to_thread(pool.close)
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert not running.done()
    gates[0].released.set()
    assert await running == 1


async def test_closed_takes_no_more(pool: Pool) -> None:
    await asyncio.to_thread(pool.close)
    with pytest.raises(RuntimeError, match="shutdown"):
        await pool.run(never)
    assert pool.retry_after() == 1


async def test_thread_keeps_no_process_from_ending(pool: Pool) -> None:
    assert await pool.run(lambda: threading.current_thread().daemon)


async def test_work_that_is_done_in_time_is_not_too_slow(pool: Pool) -> None:
    assert await pool.run(one, seconds=PATIENCE_SECONDS) == 1


async def test_no_one_waits_longer_than_told(pool: Pool, gates: list[Gate]) -> None:
    with pytest.raises(TooSlow) as refusal:
        await pool.run(gates[0], seconds=0.01)
    assert (refusal.value.limit, refusal.value.retry_after) == (1, None)


async def test_place_of_work_that_is_too_slow_is_free_when_the_thread_is(
    pool: Pool, gates: list[Gate]
) -> None:
    with pytest.raises(TooSlow):
        await pool.run(gates[0], seconds=0.01)
    waiting = asyncio.create_task(pool.run(one))
    await asyncio.sleep(0)
    with pytest.raises(TooBusy):
        await pool.run(never)
    gates[0].released.set()
    await pool.until_free()
    assert await waiting == 1


async def test_work_that_has_waited_too_long_is_dropped(pool: Pool, gates: list[Gate]) -> None:
    running = asyncio.create_task(pool.run(gates[0]))
    await gates[0].until_begun()
    with pytest.raises(TooSlow) as refusal:
        await pool.run(never, seconds=0.01)
    assert refusal.value.retry_after == 1
    await pool.until_free()
    gates[0].released.set()
    assert await running == 1
    assert await pool.run(one) == 1


@pytest.mark.parametrize("seconds", [None, PATIENCE_SECONDS])
async def test_time_out_of_the_work_itself_is_passed_on(pool: Pool, seconds: float | None) -> None:
    def time_out() -> int:
        raise TimeoutError("work")

    with pytest.raises(TimeoutError, match="work"):
        await pool.run(time_out, seconds)


async def test_nothing_holds_what_work_returned(gates: list[Gate]) -> None:
    threads: BoundedThreads[Gate] = BoundedThreads(threads=1, queue=0)
    gone = weakref.ref(await threads.run(Gate))
    await threads.run(Gate)
    gc.collect()
    assert gone() is None
    threads.close()


@pytest.mark.parametrize(("threads", "queue", "seconds"), [(1, 1, 20), (2, 0, 10)])
async def test_retry_after_is_how_long_the_queue_takes_as_measured(
    gates: list[Gate], monkeypatch: pytest.MonkeyPatch, threads: int, queue: int, seconds: int
) -> None:
    clock, pool = iter(range(0, 10_000, 10)), Pool(threads, queue)
    monkeypatch.setattr(concurrency, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    for _ in range(50):
        await pool.run(one)
    tasks = await fill(pool, gates)
    with pytest.raises(TooBusy) as refusal:
        await pool.run(never)
    assert refusal.value.retry_after == seconds
    for gate in gates:
        gate.released.set()
    await asyncio.gather(*tasks)
    pool.close()


def test_threads_are_as_many_as_cores_unless_told_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "os", SimpleNamespace(cpu_count=lambda: 3))
    assert (BoundedThreads().threads, BoundedThreads(queue=2).capacity) == (3, 5)
    monkeypatch.setattr(concurrency, "os", SimpleNamespace(cpu_count=lambda: None))
    assert (BoundedThreads().threads, BoundedThreads(7, 1).capacity) == (1, 8)


async def test_failed_work_is_held_by_nothing_once_its_error_is_dealt_with(pool: Pool) -> None:
    class Source:
        def fail(self) -> int:
            raise KeyError("work")

    source = Source()
    held = weakref.ref(source)
    gc.disable()
    try:
        with pytest.raises(KeyError) as failure:
            await pool.run(source.fail)
        del source, failure
        assert await pool.run(one) == 1
        assert held() is None
    finally:
        gc.enable()
