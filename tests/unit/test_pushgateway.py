from __future__ import annotations

import gzip
import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import httpx
import prometheus_client as prometheus
import pytest
from prometheus_client.parser import text_string_to_metric_families

from infra.local import pushgateway

HOST = "http://pushgateway"
TIMES = ("push_time_seconds", "push_failure_time_seconds")
COUNTER = "# HELP jobs_total Done.\n# TYPE jobs_total counter\njobs_total 1\n"
HISTOGRAM = '# TYPE h histogram\nh_bucket{le="1.0"} 1\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n'

Key = tuple[str, frozenset[tuple[str, str]]]


class Gateway(httpx.AsyncClient):
    def __init__(self) -> None:
        app = pushgateway.create_pushgateway()
        super().__init__(base_url=HOST, transport=httpx.ASGITransport(app))

    async def accept(self, call: Callable[..., None], *args: Any, **kwargs: Any) -> None:
        """Send what one of the real client's functions sends."""
        sent: list[dict[str, Any]] = []
        call(HOST, *args, handler=lambda **request: partial(sent.append, request), **kwargs)
        for one in sent:
            headers, data = one["headers"], one["data"]
            answer = await self.request(one["method"], one["url"], headers=headers, content=data)
            status = 202 if one["method"] == "DELETE" else 200
            assert (answer.status_code, answer.text) == (status, "")

    async def read(self) -> dict[Key, float]:
        return read((await self.get("/metrics")).text)

    async def read_pushed(self) -> dict[Key, float]:
        return {key: value for key, value in (await self.read()).items() if key[0] not in TIMES}

    async def read_times(self, job: str) -> tuple[float, float]:
        samples = await self.read()
        return samples[sample(TIMES[0], job=job)], samples[sample(TIMES[1], job=job)]


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    async with Gateway() as client:
        yield client


def read(text: str) -> dict[Key, float]:
    families = text_string_to_metric_families(text)
    samples = [(one.name, one.labels, one.value) for family in families for one in family.samples]
    by_key = {(name, frozenset(labels.items())): value for name, labels, value in samples}
    assert len(by_key) == len(samples)
    return by_key


def sample(name: str, **labels: str) -> Key:
    return name, frozenset(({"instance": ""} | labels).items())


def gauges(**values: float) -> prometheus.CollectorRegistry:
    registry = prometheus.CollectorRegistry()
    for name, value in values.items():
        prometheus.Gauge(name, f"The {name}.", registry=registry).set(value)
    return registry


async def test_push_replaces_its_own_group_only(gateway: Gateway) -> None:
    await gateway.accept(prometheus.push_to_gateway, "a", gauges(x=1, y=2))
    await gateway.accept(prometheus.push_to_gateway, "a", gauges(x=3), {"zone": "b"})
    await gateway.accept(prometheus.push_to_gateway, "a", gauges(y=4))
    expected = {sample("y", job="a"): 4, sample("x", job="a", zone="b"): 3}
    assert await gateway.read_pushed() == expected


async def test_pushadd_replaces_families_of_the_same_name_only(gateway: Gateway) -> None:
    await gateway.put("/metrics/job/a", content='# TYPE y gauge\nx 1\ny{side="left"} 2\n')
    await gateway.accept(prometheus.pushadd_to_gateway, "a", gauges(y=3, z=4))
    values = {"x": 1, "y": 3, "z": 4}
    assert await gateway.read_pushed() == {sample(name, job="a"): values[name] for name in values}


async def test_delete_removes_its_own_group_only(gateway: Gateway) -> None:
    await gateway.accept(prometheus.push_to_gateway, "a", gauges(x=1))
    await gateway.accept(prometheus.push_to_gateway, "a", gauges(x=2), {"zone": "b"})
    await gateway.accept(prometheus.delete_from_gateway, "a")
    await gateway.accept(prometheus.delete_from_gateway, "unknown")
    assert set(await gateway.read()) == {sample(n, job="a", zone="b") for n in ("x", *TIMES)}


async def test_grouping_labels_win_over_those_of_samples(gateway: Gateway) -> None:
    body = 'x{job="mine",instance="mine",zone="mine"} 1\n'
    await gateway.put("/metrics/job/a/zone/b", content=body)
    await gateway.put("/metrics/job/a/instance/i/job/b", content=body)
    assert await gateway.read_pushed() == {
        sample("x", job="a", instance="mine", zone="b"): 1,
        sample("x", job="a", instance="i", zone="mine"): 1,
    }


@pytest.mark.parametrize("value", ["/a/path?", "", "with space", "50%+ä", '"\\ \n'])
async def test_any_text_can_be_a_grouping_value(gateway: Gateway, value: str) -> None:
    await gateway.accept(prometheus.push_to_gateway, f"-{value}", gauges(x=1), {"zone": value})
    assert await gateway.read_pushed() == {sample("x", job=f"-{value}", zone=value): 1}
    await gateway.accept(prometheus.delete_from_gateway, f"-{value}", {"zone": value})
    assert await gateway.read() == {}


async def test_empty_instance_is_no_instance(gateway: Gateway) -> None:
    await gateway.put("/metrics/job/a/instance@base64/=", content="x 1\n")
    await gateway.put("/metrics/job/a/", content="x 2\n")
    assert await gateway.read_pushed() == {sample("x", job="a"): 2}


UNPAIRED = ["job/a/zone", "job/a/zone//b/c"]
BAD_NAMES = ["job/a/1st/b", "job/a/__zone/b", "job/a/zo-ne/b", "job/", "job@base64/="]
BAD_BASE64 = [f"job/a/zone@base64/{value}" for value in ("a", "Pj4+", "_w", "%2A")]


@pytest.mark.parametrize("path", [*UNPAIRED, *BAD_NAMES, *BAD_BASE64])
@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
async def test_malformed_path_is_refused(gateway: Gateway, method: str, path: str) -> None:
    answer = await gateway.request(method, f"/metrics/{path}", content="x 1\n")
    assert (answer.status_code, len(answer.text.splitlines())) == (400, 1)
    assert await gateway.read() == {}


BAD_LINES = [b"x", b"x one", b"x 2\r", b'x{y="z" 2', b'x{a:b="c"} 2', b'x{y="z", =""} 2']
BAD_LINES += [
    b'x{y="\xff"} 2',
    b"# TYPE x info",
    b"# TYPE x gauge\n# TYPE x gauge",
    b"x " + 400 * b"9",
]


@pytest.mark.parametrize("body", [b"y 1\nx 2", *(b"y 1\n" + line + b"\n" for line in BAD_LINES)])
@pytest.mark.parametrize("method", ["PUT", "POST"])
async def test_unreadable_push_changes_nothing(gateway: Gateway, method: str, body: bytes) -> None:
    await gateway.put("/metrics/job/a", content="x 1\n")
    before = await gateway.read()
    answer = await gateway.request(method, "/metrics/job/a", content=body)
    assert (answer.status_code, len(answer.text.splitlines())) == (400, 1)
    assert await gateway.read() == before


@pytest.mark.parametrize(
    "body",
    ["x 2 1700000000000\n", "y 2\ny 3\n", "# TYPE x counter\nx 2\n", "jobs_total 2\n", HISTOGRAM],
    ids=["timestamp", "duplicate", "type", "untyped", "suffix"],
)
async def test_inconsistent_push_sets_its_failure_time_only(gateway: Gateway, body: str) -> None:
    for job in ("a", "b"):
        await gateway.put(f"/metrics/job/{job}", content=f"{COUNTER}x 1\nh_count 5\n")
    before, (pushed, never) = await gateway.read_pushed(), await gateway.read_times("a")
    start = time.time()
    for method, job in (("PUT", "a"), ("POST", "a"), ("PUT", "new")):
        answer = await gateway.request(method, f"/metrics/job/{job}", content=body)
        assert answer.status_code == 400
    assert await gateway.read_pushed() == before
    assert (await gateway.read_times("a"))[0] == pushed <= start
    assert never == 0 < start <= (await gateway.read_times("a"))[1] <= time.time()
    assert (await gateway.read_times("new"))[0] == 0


async def test_times_are_those_of_the_last_push_and_failure(gateway: Gateway) -> None:
    await gateway.put("/metrics/job/a", content="x 1 1\n")
    failed = (await gateway.read_times("a"))[1]
    start = time.time()
    await gateway.put("/metrics/job/a", content="push_time_seconds 1\n")
    pushed, still_failed = await gateway.read_times("a")
    assert start <= pushed <= time.time() and still_failed == failed > 0


async def test_counters_and_histograms_come_back_as_pushed(gateway: Gateway) -> None:
    registry = prometheus.CollectorRegistry()
    prometheus.Counter("jobs", "Jobs.", ["result"], registry=registry).labels('a"b\\c\nd').inc(3)
    histogram = prometheus.Histogram("size", "Sizes.", buckets=(0.00001, 2.5, 1_500_000), registry=registry)
    for size in (1, 2, 2_000_000):
        histogram.observe(size)
    pushed = read(prometheus.generate_latest(registry).decode())
    await gateway.accept(prometheus.push_to_gateway, "a", registry)
    expected = {sample(name, job="a", **dict(pairs)): pushed[name, pairs] for name, pairs in pushed}
    assert await gateway.read_pushed() == expected
    assert expected[sample("size_bucket", job="a", le="1.5e+06")] == 2


async def test_text_is_written_as_the_real_one_writes_it(gateway: Gateway) -> None:
    jobs = '# HELP jobs "Do\\\\ne"\\n.\n# TYPE jobs counter\n'
    await gateway.put("/metrics/job/a", content=f"{HISTOGRAM}{jobs}jobs 2\n{COUNTER}# TYPE z gauge\n")
    answer = await gateway.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert f'{jobs}jobs{{instance="",job="a"}} 2\n# HELP jobs_total Done.\n' in answer.text
    assert '# TYPE h histogram\nh_bucket{instance="",job="a",le="1"} 1\n' in answer.text
    assert "# TYPE z" not in answer.text


async def test_groups_share_the_lines_of_a_family(gateway: Gateway) -> None:
    for job in ("a", "b"):
        await gateway.put(f"/metrics/job/{job}", content=COUNTER)
    lines = (await gateway.get("/metrics")).text.splitlines()
    names = sorted(line.split()[2] for line in lines if line.startswith("# TYPE"))
    assert names == sorted(["jobs_total", *TIMES]) and lines.count("# HELP jobs_total Done.") == 1
    assert await gateway.read_pushed() == {sample("jobs_total", job=job): 1 for job in ("a", "b")}


async def test_compressed_push_is_read(gateway: Gateway) -> None:
    await gateway.accept(prometheus.push_to_gateway, "a", gauges(x=1), compression="gzip")
    for broken in (b"x 2\n", gzip.compress(b"x 2\n")[:-9]):
        headers = {"content-encoding": "gzip"}
        answer = await gateway.put("/metrics/job/a", content=broken, headers=headers)
        assert answer.status_code == 400
    assert await gateway.read_pushed() == {sample("x", job="a"): 1}


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
async def test_body_is_bounded(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, encoding: str) -> None:
    monkeypatch.setattr(pushgateway, "MAXIMUM_BODY_BYTES", 1000)
    for size, status in ((1000, 200), (1001, 413)):
        body = b"x 1\n".rjust(size)
        body = gzip.compress(body) if encoding == "gzip" else body
        headers = {"content-encoding": encoding}
        answer = await gateway.put(f"/metrics/job/{size}", content=body, headers=headers)
        assert answer.status_code == status
    assert await gateway.read_pushed() == {sample("x", job="1000"): 1}


async def test_body_is_not_read_past_the_bound(gateway: Gateway) -> None:
    async def send() -> AsyncIterator[bytes]:
        yield bytes(pushgateway.MAXIMUM_BODY_BYTES + 1)
        raise AssertionError("more is read")

    assert (await gateway.put("/metrics/job/a", content=send())).status_code == 413


@pytest.mark.parametrize("path", ["/-/healthy", "/-/ready"])
async def test_health(gateway: Gateway, path: str) -> None:
    answer = await gateway.get(path)
    assert (answer.status_code, answer.text) == (200, "OK")
