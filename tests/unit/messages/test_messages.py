from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.errors import MessageInvalid
from shared.messages.envelope import MAXIMUM_BYTES, Envelope, headers_of
from shared.messages.record import Record
from shared.messages.resize_completed import CompletedOutput, ResizeCompleted
from shared.messages.resize_dead import ResizeDead, dead_headers
from shared.messages.resize_requested import (
    MAXIMUM_INLINE_BYTES,
    MAXIMUM_OUTPUTS,
    InlineSource,
    ResizeRequested,
    StoredSource,
)

STORED = {"bucket": "pictures", "key": "uploads/ada/1", "etag": '"abc"'}
IDS = {"id": str(UUID(int=1)), "user": str(UUID(int=2)), "job": str(UUID(int=3))}
WHOLE: dict[str, Any] = {
    "v": 1,
    "type": "image.resize.requested",
    "at": 1_795_501_633_000,
    "attempt": 1,
    "source": STORED,
    "outputs": [{"width": "200", "format": "png"}],
    **IDS,
}
RECORD = Record("image.resize.requested", 3, 17, b"key", b"\xc1", (("attempt", b"2"), ("attempt", b"4")))

scalars = (
    st.text(max_size=64) | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False)
)
parameters = st.dictionaries(st.text(min_size=1, max_size=32), scalars | st.booleans(), max_size=5)
sources = st.builds(InlineSource, bytes=st.binary(max_size=100)) | st.builds(
    StoredSource,
    bucket=st.text(min_size=3, max_size=63),
    key=st.text(min_size=1, max_size=100),
    etag=st.text(max_size=40),
)
requests = st.builds(
    ResizeRequested,
    id=st.uuids(),
    at=st.integers(0, 2**53),
    user=st.uuids(),
    job=st.uuids(),
    attempt=st.integers(1, 1000),
    source=sources,
    outputs=st.lists(parameters, min_size=1, max_size=MAXIMUM_OUTPUTS),
)


def packed(**changed: Any) -> bytes:
    return bytes(msgpack.packb({key: value for key, value in (WHOLE | changed).items() if value is not None}))


@given(requests)
def test_request_is_read_as_it_was_written(message: ResizeRequested) -> None:
    assert ResizeRequested.decode(message.encode()) == message


def test_request_is_written_as_the_design_says() -> None:
    assert msgpack.unpackb(ResizeRequested.decode(packed()).encode()) == WHOLE


def test_inline_source_is_bytes() -> None:
    message = ResizeRequested.decode(packed(source={"bytes": b"\xff\xd8"}))
    assert message.source == InlineSource(bytes=b"\xff\xd8")


def test_message_is_made_now_with_an_id_of_its_own() -> None:
    made = [
        ResizeRequested(user=uuid4(), job=uuid4(), attempt=1, source=StoredSource(**STORED), outputs=[{}])
        for _ in "ab"
    ]
    assert made[0].id != made[1].id
    assert made[0].at <= made[1].at < made[0].at + 60_000


@pytest.mark.parametrize(
    "value",
    [
        None,
        b"",
        b"\xc1",
        b"hello",
        b"\x91" * 2000,
        packed() + b"\x00",
        packed()[:-1],
        msgpack.packb([1, 2]),
        msgpack.packb(None),
        msgpack.packb({1: 2}),
        msgpack.packb({b"v": 1}),
        msgpack.packb(msgpack.ExtType(5, b"x")),
        b"\xa1\xff",
    ],
)
def test_what_is_no_map_of_msgpack_is_poison(value: bytes | None) -> None:
    with pytest.raises(MessageInvalid):
        ResizeRequested.decode(value)


@pytest.mark.parametrize(
    "changed",
    [
        *({name: None} for name in WHOLE),
        {"v": 2},
        {"v": "1"},
        {"type": "image.resize.completed"},
        {"id": "1"},
        {"user": b"\x00"},
        {"at": "now"},
        {"at": -1},
        {"at": 1.5},
        {"attempt": 0},
        {"attempt": 1001},
        {"attempt": True},
        {"source": {}},
        {"source": {"bytes": "text"}},
        {"source": {"bytes": b"x" * (MAXIMUM_INLINE_BYTES + 1)}},
        {"source": {"bytes": b"x", **STORED}},
        {"source": STORED | {"key": ""}},
        {"source": STORED | {"version": "1"}},
        {"outputs": []},
        {"outputs": {}},
        {"outputs": [{}] * (MAXIMUM_OUTPUTS + 1)},
        {"outputs": [{"width": [1]}]},
        {"outputs": [{"width": float("nan")}]},
        {"outputs": [{"": 1}]},
        {"outputs": [{"width": "1" * 65}]},
        {"extra": 1},
    ],
)
def test_what_is_missing_or_wrong_is_poison(changed: dict[str, Any]) -> None:
    with pytest.raises(MessageInvalid):
        ResizeRequested.decode(packed(**changed))


def test_poison_says_what_is_wrong_with_it_and_not_what_it_is() -> None:
    with pytest.raises(MessageInvalid) as refusal:
        ResizeRequested.decode(packed(source={"bytes": "hunter2"}, at="hunter2"))
    assert "at: " in refusal.value.detail and "hunter2" not in refusal.value.detail


def test_unknown_version_is_named() -> None:
    with pytest.raises(MessageInvalid, match="version is 2, and 1 is read"):
        ResizeRequested.decode(packed(v=2, attempt="of a later version"))


def test_too_large_is_refused_unread() -> None:
    with pytest.raises(MessageInvalid) as refusal:
        ResizeRequested.decode(b"\xc1" * (MAXIMUM_BYTES + 1))
    assert (refusal.value.limit, refusal.value.actual) == (MAXIMUM_BYTES, MAXIMUM_BYTES + 1)


def test_largest_request_is_read() -> None:
    parameters = {f"{number:032}": "x" * 64 for number in range(20)}
    message = ResizeRequested.decode(
        packed(source={"bytes": b"x" * MAXIMUM_INLINE_BYTES}, outputs=[parameters] * MAXIMUM_OUTPUTS)
    )
    assert ResizeRequested.decode(message.encode()) == message


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_poison(value: bytes) -> None:
    with pytest.raises(MessageInvalid):
        ResizeRequested.decode(value)


@given(st.integers(0, len(packed()) - 1), st.integers(1, 255))
def test_one_changed_byte_is_read_or_poison(place: int, change: int) -> None:
    value = bytearray(packed())
    value[place] ^= change
    try:
        assert isinstance(ResizeRequested.decode(bytes(value)), Envelope)
    except MessageInvalid:
        pass


def test_completed_is_read_as_it_was_written() -> None:
    output = CompletedOutput(
        params={"width": 200},
        key="results/ada/1.png",
        width=200,
        height=133,
        bytes=9,
        content_type="image/png",
    )
    message = ResizeCompleted(user=uuid4(), job=uuid4(), attempt=2, outputs=[output])
    assert ResizeCompleted.decode(message.encode()) == message
    with pytest.raises(MessageInvalid):
        ResizeRequested.decode(message.encode())


@given(st.binary(max_size=2000) | st.none(), st.binary(max_size=300) | st.none(), st.text(max_size=600))
def test_whatever_came_can_be_put_among_the_dead(value: bytes | None, key: bytes | None, detail: str) -> None:
    message = ResizeDead.of(Record("t", 0, 0, key, value), "message_invalid", detail)
    read = ResizeDead.decode(message.encode())
    assert read == message
    assert read.is_whole and read.record == (value or b"")


def test_dead_record_has_its_reason_and_its_origin() -> None:
    job = uuid4()
    message = ResizeDead.of(RECORD, "source_unreadable", "It is cut off.", attempt=2, job=job)
    assert (message.code, message.detail, message.attempt, message.job) == (
        *("source_unreadable", "It is cut off.", 2, job),
    )
    assert (message.origin.topic, message.origin.partition, message.origin.offset) == (RECORD.topic, 3, 17)
    assert dict(dead_headers(message.code, message.origin)) == {
        "reason": b"source_unreadable",
        "origin-topic": b"image.resize.requested",
        "origin-partition": b"3",
        "origin-offset": b"17",
    }


def test_record_larger_than_any_message_is_cut_and_says_so() -> None:
    message = ResizeDead.of(Record("t", 0, 0, None, b"x" * 2 * MAXIMUM_BYTES), "message_invalid", "")
    read = ResizeDead.decode(message.encode())
    assert not read.is_whole
    assert read.length == 2 * MAXIMUM_BYTES


def test_headers_have_what_is_told_of_a_message_outside_of_it() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert headers_of(3, trace) == (("version", b"1"), ("attempt", b"3"), ("traceparent", trace.encode()))
    assert dict(headers_of(1)) == {"version": b"1", "attempt": b"1"}


def test_last_of_two_headers_counts() -> None:
    assert RECORD.header("attempt") == b"4"
    assert RECORD.header("missing") is None


@pytest.mark.parametrize(
    ("value", "not_before"),
    [(b"1795501633000", 1_795_501_633_000), (b"", 0), (b"soon", 0), (b"-5", 0), (b"1" * 5000, int("1" * 18))],
)
def test_time_before_which_a_record_is_not_tried_again(value: bytes, not_before: int) -> None:
    assert Record("t", 0, 0, headers=(("not-before", value),)).not_before == not_before
    assert Record("t", 0, 0).not_before == 0
