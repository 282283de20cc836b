from hypothesis import given
from hypothesis import strategies as st

from functions.worker.progress import Progress


def test_nothing_is_committable_before_the_first_is_done() -> None:
    progress = Progress()
    progress.start(5)
    progress.start(6)
    assert progress.committable is None
    progress.finish(6)
    assert progress.committable is None
    progress.finish(5)
    assert progress.committable == 7


def test_offsets_may_have_gaps() -> None:
    progress = Progress()
    for offset in (3, 8, 20):
        progress.start(offset)
    for offset, committable in ((3, 4), (20, 4), (8, 21)):
        progress.finish(offset)
        assert progress.committable == committable


@given(st.permutations(range(10)), st.integers(0, 9))
def test_no_record_is_committed_before_it_is_done(order: list[int], count: int) -> None:
    progress = Progress()
    for offset in range(10):
        progress.start(offset)
    done = set(order[:count])
    for offset in order[:count]:
        progress.finish(offset)
    first_under_way = min(set(range(10)) - done)
    assert progress.committable == (first_under_way or None)
