from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.errors import (
    BodyInvalid,
    BodyTooLarge,
    InvalidCredentials,
    InvalidToken,
    NotFound,
    Problem,
    TooBusy,
)
from shared.logging import request_id
from shared.responses import OrjsonResponse, inline_filename, problem_response, problems


@pytest.fixture
def _in_a_request() -> Iterator[None]:
    reset = request_id.set("request-1")
    yield
    request_id.reset(reset)


def _document(problem: Problem) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(bytes(problem_response(problem).body))
    return document


def _refusals(of: type[Problem] = Problem) -> Iterator[type[Problem]]:
    for refusal in of.__subclasses__():
        if refusal.__module__ == "shared.errors":
            yield from _refusals(refusal)
            if hasattr(refusal, "code"):
                yield refusal


REFUSALS = sorted(_refusals(), key=lambda refusal: refusal.code)


@pytest.mark.usefixtures("_in_a_request")
def test_refusal_is_a_problem_document_of_rfc_9457() -> None:
    response = problem_response(BodyTooLarge("At most 10 bytes are taken.", limit=10, actual=11))
    assert response.status_code == 413
    assert response.headers["content-type"] == "application/problem+json"
    assert json.loads(bytes(response.body)) == {
        "type": "urn:passepartout:problem:body_too_large",
        "title": "The request body is too large",
        "status": 413,
        "detail": "At most 10 bytes are taken.",
        "code": "body_too_large",
        "request_id": "request-1",
        "limit": 10,
        "actual": 11,
    }


@pytest.mark.usefixtures("_in_a_request")
def test_what_does_not_apply_is_left_out() -> None:
    assert _document(NotFound("Nothing.")).keys() == {
        "type",
        "title",
        "status",
        "detail",
        "code",
        "request_id",
    }


def test_each_fault_is_in_the_document() -> None:
    errors = [{"in": "body", "name": "age", "detail": "too young"}]
    assert _document(BodyInvalid("age: too young", errors=errors))["errors"] == errors


@pytest.mark.parametrize(
    ("limit", "actual"), [(0, 0), (10, 2**63), (10, 2**64), (10, -(10**30)), (10**30, 1)]
)
def test_number_of_any_size_can_be_answered(limit: int, actual: int) -> None:
    document = _document(BodyTooLarge("Too large.", limit=limit, actual=actual))
    assert (document["status"], document["code"]) == (413, "body_too_large")
    assert limit > 2**64 or document["limit"] == limit


@pytest.mark.parametrize("refusal", REFUSALS)
def test_no_refusal_is_kept_by_a_cache(refusal: type[Problem]) -> None:
    assert problem_response(refusal("No.")).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("refusal", REFUSALS)
def test_every_refusal_has_a_status_of_its_kind_and_a_title(refusal: type[Problem]) -> None:
    assert 400 <= refusal.status < 600 and refusal.title[0].isupper()
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", refusal.code)


def test_codes_are_told_apart() -> None:
    assert len({refusal.code for refusal in REFUSALS}) == len(REFUSALS) > 10


@pytest.mark.parametrize("seconds", [0, 1, 30])
def test_retry_after_is_in_seconds(seconds: int) -> None:
    assert problem_response(TooBusy("Later.", retry_after=seconds)).headers["retry-after"] == str(seconds)


def test_there_is_no_retry_after_where_none_is_known() -> None:
    assert "retry-after" not in problem_response(TooBusy("Later.")).headers


@pytest.mark.parametrize(
    ("refusal", "challenge"), [(InvalidToken, 'Bearer error="invalid_token"'), (InvalidCredentials, "Bearer")]
)
def test_unauthorized_names_the_scheme(refusal: type[Problem], challenge: str) -> None:
    assert problem_response(refusal("No.")).headers["www-authenticate"] == challenge


def test_headers_given_are_sent_along() -> None:
    response = problem_response(InvalidToken("No."), {"Allow": "GET, POST"})
    assert response.headers["allow"] == "GET, POST" and "www-authenticate" in response.headers


def test_caller_cannot_make_a_refusal_cacheable() -> None:
    headers = problem_response(NotFound("No."), {"Cache-Control": "max-age=600"}).headers
    assert headers.getlist("cache-control") == ["no-store"]


def test_refusals_of_one_status_are_documented_together() -> None:
    documented = problems(InvalidToken, BodyTooLarge, InvalidCredentials)
    assert documented.keys() == {401, 413}
    assert documented[401]["description"] == "`invalid_token` · `invalid_credentials`"
    assert documented[401]["content"].keys() == {"application/problem+json"}


def test_json_is_written_in_utf_8_and_compact() -> None:
    response = OrjsonResponse({"name": "é", "n": [1, None]})
    assert response.body == '{"name":"é","n":[1,null]}'.encode()
    assert response.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("name", "disposition"),
    [
        ("cat-800x600.jpg", 'inline; filename="cat-800x600.jpg"'),
        ("my cat; really.png", 'inline; filename="my cat; really.png"'),
        ('a"b.png', "inline; filename=\"a_b.png\"; filename*=UTF-8''a%22b.png"),
        ("a\\b.png", "inline; filename=\"a_b.png\"; filename*=UTF-8''a%5Cb.png"),
        ("100%.png", "inline; filename=\"100_.png\"; filename*=UTF-8''100%25.png"),
        ("chât.png", "inline; filename=\"ch_t.png\"; filename*=UTF-8''ch%C3%A2t.png"),
        ("猫 1.png", "inline; filename=\"_ 1.png\"; filename*=UTF-8''%E7%8C%AB%201.png"),
        (
            "a\r\nSet-Cookie: b",
            "inline; filename=\"a__Set-Cookie: b\"; filename*=UTF-8''a%0D%0ASet-Cookie%3A%20b",
        ),
        ("a/b'c(d)*", 'inline; filename="a/b\'c(d)*"'),
        ("é'*", "inline; filename=\"_'*\"; filename*=UTF-8''%C3%A9%27%2A"),
    ],
)
def test_filename_is_plain_and_where_need_be_encoded(name: str, disposition: str) -> None:
    assert inline_filename(name) == disposition


HEADER = re.compile(
    r"""inline; filename="([ !#-$&-\[\]-~]*)"(?:; filename\*=UTF-8''([A-Za-z0-9!#$&+.^_`|~%-]*))?"""
)


def _assert_well_formed(disposition: str) -> re.Match[str]:
    found = HEADER.fullmatch(disposition)
    assert found is not None and disposition.encode("latin-1")
    return found


@given(st.text(st.characters(exclude_categories=["Cs"])))
@settings(deadline=None)
def test_any_filename_makes_one_header_that_gives_it_back(name: str) -> None:
    plain, encoded = _assert_well_formed(inline_filename(name)).groups()
    assert name == (plain if encoded is None else unquote(encoded, errors="strict"))


@pytest.mark.parametrize("name", ["a\ud800.png", "\udcff\udcfe.png", "\udfff"])
def test_filename_of_broken_unicode_makes_a_header_too(name: str) -> None:
    _assert_well_formed(inline_filename(name))
