"""What an answer says besides the picture: its tag, what it depends on, what it took."""

from __future__ import annotations

import re
from typing import cast

import httpx
import pytest

from infra.gateway.asgi import load_app
from shared.on_startup.presets import presets
from tests.integration.problems import assert_problem
from tests.integration.uploads import Resizer
from tests.pictures import decoded, options

PRESETS = {"small": options(None, quality=50)}
HUNDRED = "width=100"
CHROME = {"Accept": "image/avif,image/webp,*/*;q=0.8"}


async def post(resizer: Resizer, query: str, content: bytes, headers: dict[str, str]) -> httpx.Response:
    return await resizer._client.post(
        f"/file/resize?{query}", content=content, headers={**resizer._authorization, **headers}
    )


async def test_same_picture_is_not_sent_again(resizer: Resizer, photograph: bytes) -> None:
    first = await resizer.post(HUNDRED, photograph)
    tag = first.headers["etag"]
    assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
    for listed in (tag, f'"other", W/{tag}', "*"):
        again = await post(resizer, HUNDRED, photograph, {"If-None-Match": listed})
        assert (again.status_code, again.content) == (304, b"")
        assert (again.headers["etag"], again.headers["cache-control"]) == (tag, "private")
        # Nothing was decoded.
        assert "server-timing" not in again.headers
    other = await post(resizer, HUNDRED, photograph, {"If-None-Match": f'"other", {tag[:-1]}'})
    assert other.status_code == 200


async def test_tag_is_of_the_source_and_of_all_that_is_asked(resizer: Resizer, photograph: bytes) -> None:
    queries = [
        HUNDRED,
        "height=100",
        f"{HUNDRED}&quality=50",
        f"{HUNDRED}&format=webp",
        f"{HUNDRED}&gravity=east",
    ]
    tags = [(await resizer.post(query, photograph)).headers["etag"] for query in queries]
    tags.append((await resizer.post(HUNDRED, photograph + b"\0")).headers["etag"])
    assert len(set(tags)) == len(tags)
    assert (await resizer.post(HUNDRED, photograph)).headers["etag"] == tags[0]


async def test_auto_format_depends_on_what_the_caller_accepts(resizer: Resizer, photograph: bytes) -> None:
    query = f"{HUNDRED}&format=auto"
    modern = await post(resizer, query, photograph, CHROME)
    plain = await post(resizer, query, photograph, {"Accept": "*/*"})
    assert (modern.headers["content-type"], plain.headers["content-type"]) == ("image/avif", "image/jpeg")
    assert modern.headers["vary"] == plain.headers["vary"] == "Accept"
    assert modern.headers["etag"] != plain.headers["etag"]
    had = await post(resizer, query, photograph, {**CHROME, "If-None-Match": modern.headers["etag"]})
    assert (had.status_code, had.headers["vary"]) == (304, "Accept")
    assert "vary" not in (await post(resizer, HUNDRED, photograph, CHROME)).headers


async def test_receipt_says_what_was_done(resizer: Resizer, photograph: bytes) -> None:
    answer = await resizer.post(HUNDRED, photograph)
    receipt = re.fullmatch(
        r'in=(\d+), out=(\d+), src="640x427", dst="100x67", peak=(\d+), cost="(0\.\d{9})"',
        answer.headers["image-receipt"],
    )
    assert receipt is not None
    source, result, peak = (int(receipt[group]) for group in (1, 2, 3))
    assert (source, result) == (len(photograph), len(answer.content))
    # It is decoded at no less than half its sides.
    assert peak > len(photograph) + 4 * 200 * 133
    total = float(cast(re.Match[str], re.search(r"total;dur=([\d.]+)", answer.headers["server-timing"]))[1])
    expected = total / 1000 * 1769 / 1024 * 0.0000166667 + 0.0000002
    assert float(receipt[4]) == pytest.approx(expected, rel=0.02)


async def test_all_parameters_over_http(resizer: Resizer, photograph: bytes) -> None:
    query = "width=60&height=60&resizing_type=fill&gravity=north&enlarge=true&dpr=2&format=webp&quality=70"
    answer = await resizer.post(f"{query}&max_bytes=20000&background=000000&keep_metadata=true", photograph)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    assert decoded(answer.content).size == (120, 120) and len(answer.content) <= 20000


async def test_size_that_cannot_be_met_says_how_near_it_came(resizer: Resizer, photograph: bytes) -> None:
    problem = assert_problem(
        await resizer.post("width=600&max_bytes=300", photograph), 422, "parameters_invalid"
    )
    assert problem["limit"] == 300 < problem["actual"]


async def test_unknown_preset_is_refused(resizer: Resizer, photograph: bytes) -> None:
    problem = assert_problem(await resizer.post("preset=avatar", photograph), 422, "parameters_invalid")
    assert [(error["in"], error["name"]) for error in problem["errors"]] == [("query", "preset")]
    assert "there are: none" in problem["detail"]


@pytest.mark.parametrize(("query", "name"), [("preset=small", "preset"), ("quality=50", "query")])
async def test_side_that_is_missing_is_the_fault_of_the_preset_where_there_is_one(
    resizer: Resizer, photograph: bytes, monkeypatch: pytest.MonkeyPatch, query: str, name: str
) -> None:
    monkeypatch.setitem(load_app("resize").dependency_overrides, presets, lambda: PRESETS)
    problem = assert_problem(await resizer.post(query, photograph), 422, "parameters_invalid")
    assert [(error["in"], error["name"]) for error in problem["errors"]] == [("query", name)]
    assert "width, height or both are needed" in problem["detail"]
