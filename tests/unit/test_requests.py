from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

import httpx
import pytest
from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import ClientDisconnect
from starlette.types import Message

from shared import requests
from shared.app import create_app
from shared.errors import (
    BodyInvalid,
    BodyTimeout,
    BodyTooLarge,
    MediaTypeUnsupported,
    Problem,
    SourceTooLarge,
)
from shared.requests import FORM, JSON, JsonRoute, media_type, parse_json, read_body, read_json_or_form
from shared.responses import problem_response

SECRET = "hunter2-hunter2"


class Person(BaseModel):
    name: Annotated[str, Field(min_length=1, max_length=10)]
    age: Annotated[int, Field(ge=0)] = 0


class Connection:
    """Hands out a body in chunks, and keeps what nobody asked for."""

    def __init__(self, *chunks: bytes) -> None:
        self.left = list(chunks)

    async def receive(self) -> Message:
        if not self.left:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": self.left.pop(0), "more_body": True}


class WholeConnection(Connection):
    """Says which chunk is the last."""

    async def receive(self) -> Message:
        message = await super().receive()
        message["more_body"] = bool(self.left)
        return message


def _request(connection: Connection, **headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "headers": raw}, connection.receive)


def _text(refusal: Problem) -> str:
    return bytes(problem_response(refusal).body).decode()


def _post(body: bytes, content_type: str) -> Request:
    return _request(WholeConnection(body), content_type=content_type)


@pytest.mark.parametrize(
    "chunks", [[b""], [b"0123456789"], [b"01234", b"", b"56789"], [b"%d" % n for n in range(10)]]
)
@pytest.mark.parametrize("headers", [{}, {"content_length": "10"}, {"content_length": "0"}])
async def test_body_of_at_most_the_limit_is_read_whole(chunks: list[bytes], headers: dict[str, str]) -> None:
    assert await read_body(_request(WholeConnection(*chunks), **headers), 10) == b"".join(chunks)


async def test_body_declared_too_long_is_refused_unread() -> None:
    connection = Connection(b"0123456789", b"x")
    with pytest.raises(BodyTooLarge) as refusal:
        await read_body(_request(connection, content_length="11"), 10)
    assert (refusal.value.limit, refusal.value.actual) == (10, 11)
    assert connection.left == [b"0123456789", b"x"]


@pytest.mark.parametrize("headers", [{}, {"content_length": "1"}, {"content_length": "many"}])
async def test_body_found_too_long_is_read_no_further(headers: dict[str, str]) -> None:
    connection = Connection(b"01234", b"56789", b"xyz", b"never read")
    with pytest.raises(BodyTooLarge) as refusal:
        await read_body(_request(connection, **headers), 10)
    assert (refusal.value.limit, refusal.value.actual) == (10, 13)
    assert connection.left == [b"never read"]


@pytest.mark.parametrize("declared", ["", "-1", "+11", "1.5", "1e9", "0x11", " ", "1_1", "²"])
async def test_length_that_is_no_number_is_not_believed(declared: str) -> None:
    assert await read_body(_request(WholeConnection(b"body"), content_length=declared), 10) == b"body"


@pytest.mark.parametrize("digits", [20, 5000])
async def test_absurd_length_is_a_refusal_that_can_be_answered(digits: int) -> None:
    with pytest.raises(BodyTooLarge) as refusal:
        await read_body(_request(Connection(), content_length="9" * digits))
    assert json.loads(_text(refusal.value))["code"] == "body_too_large"


async def test_body_that_never_ends_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(requests, "BODY_SECONDS", 0)

    async def never() -> Message:
        await asyncio.Future()
        raise AssertionError

    with pytest.raises(BodyTimeout) as refusal:
        await read_body(Request({"type": "http", "headers": []}, never))
    assert refusal.value.limit == 0


async def test_caller_names_the_refusal() -> None:
    with pytest.raises(SourceTooLarge):
        await read_body(_request(WholeConnection(b"xx")), 1, SourceTooLarge)


async def test_caller_who_leaves_amid_the_body_is_no_answer() -> None:
    with pytest.raises(ClientDisconnect):
        await read_body(_request(Connection(b"half")), 10)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("application/json", JSON),
        ("Application/JSON; charset=utf-8", JSON),
        (" application/json ;x", JSON),
        ("", ""),
        (";", ""),
        ("text/plain", "text/plain"),
    ],
)
def test_media_type_is_without_parameters_and_case(header: str, expected: str) -> None:
    assert media_type(_request(Connection(), content_type=header)) == expected


NO_JSON = {
    "empty": b"",
    "NaN": b'{"hunter2":NaN}',
    "infinity": b"-Infinity",
    "beyond a double": b"1e999",
    "lone surrogate": b'"hunter2\\ud800"',
    "raw surrogate": b'"hunter2\xed\xa0\x80"',
    "not UTF-8": b'"hunter2\xff"',
    "UTF-16": '"hunter2"'.encode("utf-16"),
    "BOM": b'\xef\xbb\xbf"hunter2"',
    "single quotes": b"'hunter2'",
    "comma too many": b'["hunter2",]',
    "raw line feed": b'"hunter2\n"',
    "two values": b'"hunter2" "hunter2"',
    "cut off": b'{"hunter2":',
    "deep": b"[" * 16_000,
    "deep and whole": b"[" * 8_000 + b"]" * 8_000,
}


@pytest.mark.parametrize("body", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_strict_json_is_refused_without_an_echo(body: bytes) -> None:
    with pytest.raises(BodyInvalid) as refusal:
        parse_json(body)
    assert "hunter2" not in refusal.value.detail and "\n" not in refusal.value.detail


def test_json_is_read_as_it_is() -> None:
    assert parse_json(b'{"a": [1, 2.5, null, true, "\\u0000\\ud83d\\ude00"]}') == {
        "a": [1, 2.5, None, True, "\0😀"]
    }


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (b'{"name":"Ada","age":36}', JSON, Person(name="Ada", age=36)),
        (b"name=Ada&age=36", FORM, Person(name="Ada", age=36)),
        (b"name=Ada", f"{FORM}; charset=utf-8", Person(name="Ada")),
        (b"name=a%26b%3D%2B+%C3%A9", FORM, Person(name="a&b=+ é")),
        ("name=é&x=y".encode(), FORM, Person(name="é")),
        (b"name=%00", FORM, Person(name="\0")),
    ],
)
async def test_json_and_forms_say_the_same(body: bytes, content_type: str, expected: Person) -> None:
    assert await read_json_or_form(_post(body, content_type), Person) == expected


@pytest.mark.parametrize("body", [b"name=\xff", b"name=%FF", b"name=%ED%A0%80", b"\xff=x", b"%FF=x"])
async def test_form_that_is_not_utf_8_is_refused(body: bytes) -> None:
    with pytest.raises(BodyInvalid):
        await read_json_or_form(_post(body, FORM), Person)


@pytest.mark.parametrize("body", [b"", b"&&&", b"Ada", b"name=", b"name", b"=Ada", b"name=Ada&age=x"])
async def test_form_without_what_is_wanted_is_refused(body: bytes) -> None:
    with pytest.raises(BodyInvalid):
        await read_json_or_form(_post(body, FORM), Person)


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "multipart/form-data; boundary=x", "application/json5"]
)
async def test_other_content_types_are_refused(content_type: str) -> None:
    with pytest.raises(MediaTypeUnsupported):
        await read_json_or_form(_post(b'{"name":"Ada"}', content_type), Person)


async def test_json_or_form_is_bounded() -> None:
    with pytest.raises(BodyTooLarge):
        await read_json_or_form(_post(b"name=" + b"x" * 16 * 1024, FORM), Person)


@pytest.mark.parametrize(
    "value", [[SECRET], {SECRET: 1}, {"name": SECRET, "age": SECRET}, {"name": [SECRET]}, SECRET]
)
async def test_faults_of_a_body_echo_no_value(value: Any) -> None:
    with pytest.raises(BodyInvalid) as refusal:
        await read_json_or_form(_post(json.dumps(value).encode(), JSON), Person)
    assert SECRET not in _text(refusal.value)


async def test_every_fault_of_a_body_is_located() -> None:
    with pytest.raises(BodyInvalid) as refusal:
        await read_json_or_form(_post(b'{"name":"","age":-1}', JSON), Person)
    assert refusal.value.errors is not None
    assert [(error["in"], error["name"]) for error in refusal.value.errors] == [
        ("body", "name"),
        ("body", "age"),
    ]


router = APIRouter(route_class=JsonRoute)


@router.post("/people")
async def echo(person: Person) -> Person:
    return person


@router.get("/people")
async def search(
    age: Annotated[int, Query(ge=1, le=150)] = 1, height: Annotated[int, Query(ge=1)] = 1
) -> str:
    return f"{age} {height}"


class Nothing(BaseModel):
    model_config = ConfigDict(extra="forbid")


@router.get("/strict")
async def take_nothing(query: Annotated[Nothing, Query()]) -> None:
    return None


@pytest.fixture
async def people() -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app("people", router))
    async with httpx.AsyncClient(transport=transport, base_url="http://people.test") as client:
        yield client


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b'{"name":"Ada"}', "application/json; charset=utf-8", 200, None),
        (b'{"name":"Ada"}', "text/plain", 415, "media_type_unsupported"),
        (b'{"name":"Ada"}', "", 415, "media_type_unsupported"),
        (b'{"name":"Ada"}' + b" " * 16 * 1024, JSON, 413, "body_too_large"),
        (b'{"name":"\\ud800"}', JSON, 422, "body_invalid"),
        (b'{"name":NaN}', JSON, 422, "body_invalid"),
        (b"null", JSON, 422, "body_invalid"),
    ],
)
async def test_json_route_reads_as_strictly(
    people: httpx.AsyncClient, body: bytes, content_type: str, status: int, code: str | None
) -> None:
    answer = await people.post("/people", content=body, headers={"Content-Type": content_type})
    assert (answer.status_code, answer.json().get("code")) == (status, code)


async def test_many_faults_are_told_in_a_few_words(people: httpx.AsyncClient) -> None:
    query = {f"unknown{number}": "1" for number in range(1000)} | {"x" * 5000: "1"}
    answer = await people.get("/strict", params=query)
    assert (answer.status_code, len(answer.json()["errors"])) == (422, 20)
    assert len(answer.content) < 5000


async def test_json_route_without_a_body_is_left_alone(people: httpx.AsyncClient) -> None:
    assert (await people.get("/people", params={"age": 36})).json() == "36 1"


@pytest.mark.parametrize(
    ("query", "limit", "actual"),
    [
        ({"age": "151"}, 150, 151),
        ({"age": "0"}, 1, 0),
        ({"age": "x"}, None, None),
        ({"age": "9" * 18}, 150, 999_999_999_999_999_999),
        ({"age": "9" * 25}, 150, "9" * 25),
        ({"age": "-" + "9" * 25}, 1, "-" + "9" * 25),
        ({"age": "9" * 4000}, 150, "9" * 100),
        ({"age": "0", "height": "0"}, None, None),
    ],
)
async def test_refused_parameter_comes_with_its_limit_and_actual_value(
    people: httpx.AsyncClient, query: dict[str, str], limit: int | None, actual: int | str | None
) -> None:
    problem = (await people.get("/people", params=query)).json()
    assert (problem["status"], problem["code"]) == (422, "parameters_invalid")
    assert {error["name"] for error in problem["errors"]} == query.keys()
    assert (problem.get("limit"), problem.get("actual")) == (limit, actual)


@pytest.mark.parametrize("age", ["9" * 25, "9" * 5000, "-" + "9" * 25, "151.0", "+151", " 151", "1_51"])
async def test_number_out_of_every_bound_is_the_callers_mistake(people: httpx.AsyncClient, age: str) -> None:
    problem = (await people.get("/people", params={"age": age})).json()
    assert (problem["status"], problem["code"]) == (422, "parameters_invalid")
