"""A Pushgateway in Python for machines without the real one: what is pushed stays in memory.

Paths, answers and consistency rules are those of the Prometheus Pushgateway's README, version 1.11.
"""

from __future__ import annotations

import base64
import gzip
import io
import re
import time
import zlib
from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

MAXIMUM_BODY_BYTES = 16 * 1024 * 1024

_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_LABEL_NAME = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_TYPE_LINE = re.compile(r"^[ \t]*#[ \t]*TYPE[ \t]+(\S+)[ \t]+(\S+)[ \t]*$", re.MULTILINE)
_SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "summary": ("_count", "_sum")}
_TYPES = {"counter", "gauge", "untyped", *_SUFFIXES}
_BOUNDS = {"histogram": "le", "summary": "quantile"}
_PUSHED, _FAILED = "push_time_seconds", "push_failure_time_seconds"
_TIMES = {
    _PUSHED: "Last Unix time when changing this group in the Pushgateway succeeded.",
    _FAILED: "Last Unix time when changing this group in the Pushgateway failed.",
}

Labels = dict[str, str]
Families = dict[str, Metric]


class Refused(ValueError):
    """Raised for a push that the Pushgateway answers with 400."""


class PushedMetrics:
    """Holds the metric families of every pushed group."""

    def __init__(self) -> None:
        self._groups: dict[frozenset[tuple[str, str]], Families] = {}

    def push(self, grouping: Labels, families: Families, *, replace: bool) -> None:
        """Store families in a group, over those of the same name or, to replace, over all.

        A refused push changes nothing but the group's `push_failure_time_seconds`.
        """
        key, now = _key(grouping), time.time()
        stored = {name: _gauge(name, 0, grouping) for name in _TIMES} | self._groups.get(key, {})
        kept = {name: stored[name] for name in stored if name in _TIMES or not replace}
        try:
            for family in families.values():
                family.samples = [_in_group(sample, grouping) for sample in family.samples]
            group = kept | families | {_PUSHED: _gauge(_PUSHED, now, grouping)}
            _merge((self._groups | {key: group}).values())
        except Refused:
            self._groups[key] = stored | {_FAILED: _gauge(_FAILED, now, grouping)}
            raise
        self._groups[key] = group

    def delete(self, grouping: Labels) -> None:
        """Forget a group, if there is one."""
        self._groups.pop(_key(grouping), None)

    def expose(self) -> str:
        """Return all groups in the text format, each family once."""
        families = _merge(self._groups.values())
        return "".join(_expose(families[name]) for name in sorted(families))


def _key(grouping: Labels) -> frozenset[tuple[str, str]]:
    # No instance and an empty one give samples the same labels, so they have to be one group.
    return frozenset(({"instance": ""} | grouping).items())


def _gauge(name: str, value: float, grouping: Labels) -> Metric:
    family = Metric(name, _TIMES[name], "gauge")
    family.samples.append(_in_group(Sample(name, {}, value), grouping))
    return family


def _in_group(sample: Sample, grouping: Labels) -> Sample:
    if sample.timestamp is not None:
        raise Refused(f"pushed metrics must not have timestamps, {sample.name} has one")
    return sample._replace(labels={"instance": ""} | sample.labels | grouping)


def _merge(groups: Iterable[Families]) -> Families:
    merged: Families = {}
    for family in (family for group in groups for family in group.values()):
        empty = Metric(family.name, family.documentation, family.type)
        whole = merged.setdefault(family.name, empty)
        if whole.type != family.type:
            raise Refused(f"{family.name} is both a {whole.type} and a {family.type}")
        whole.samples += family.samples
    for name, family in merged.items():
        if any(name + suffix in merged for suffix in _SUFFIXES.get(family.type, ())):
            raise Refused(f"another metric has the name of a part of {family.type} {name}")
        series = {(sample.name, *sorted(sample.labels.items())) for sample in family.samples}
        if len(series) < len(family.samples):
            raise Refused(f"{name} has two samples with the same labels")
    return merged


def _parse(text: str) -> Families:
    if "\r\n" in text or text and not text.endswith("\n"):
        raise Refused("every line must end in a line feed alone")
    declared = [(name.strip('"'), kind.lower()) for name, kind in _TYPE_LINE.findall(text)]
    types = dict(declared)
    if len(types) < len(declared) or not _TYPES.issuperset(types.values()):
        raise Refused("a TYPE line is repeated or of an unknown type")
    families: Families = {}
    try:
        for part in text_string_to_metric_families(_TYPE_LINE.sub(_hide_counter, text)):
            kind = types.get(part.name, "untyped")
            family = families.setdefault(part.name, Metric(part.name, part.documentation, kind))
            family.samples += [_normalize(sample, _BOUNDS.get(kind)) for sample in part.samples]
    except (ArithmeticError, LookupError, ValueError) as error:
        raise Refused(f"text format parsing error: {error}") from error
    return {name: family for name, family in families.items() if family.samples}


def _hide_counter(line: re.Match[str]) -> str:
    # The parser gives counters their OpenMetrics names; gauges keep the pushed ones.
    return f"# TYPE {line[1]} {line[2].lower().replace('counter', 'gauge')}"


def _normalize(sample: Sample, bound: str | None) -> Sample:
    if not (_METRIC_NAME.fullmatch(sample.name) and all(map(_LABEL_NAME.fullmatch, sample.labels))):
        raise ValueError(f"invalid metric or label name at {sample.name!r}")
    bounds = {name: _format(float(sample.labels[name])) for name in sample.labels if name == bound}
    return sample._replace(labels=sample.labels | bounds, value=float(sample.value))


def _format(value: float) -> str:
    # Go writes whole numbers without ".0"; in the label `le` that's another series.
    written: str = floatToGoString(value)  # type: ignore[no-untyped-call]
    return written.removesuffix(".0")


def _expose(family: Metric) -> str:
    # generate_latest() would rename the counters that don't end in `_total`.
    kind = "untyped" if family.type == "unknown" else family.type
    text = f"# TYPE {family.name} {kind}\n"
    if family.documentation:
        text = f"# HELP {family.name} {_escape(family.documentation)}\n{text}"
    for name, labels, value, *_ in family.samples:
        quoted = (_escape(labels[label]).replace('"', r"\"") for label in sorted(labels))
        pairs = ",".join(map('{}="{}"'.format, sorted(labels), quoted))
        text += f"{name}{{{pairs}}} {_format(value)}\n"
    return text


def _escape(text: str) -> str:
    return text.replace("\\", r"\\").replace("\n", r"\n")


def _read_grouping(path: str) -> Labels:
    if not path.startswith(("job/", "job@base64/")):
        raise HTTPException(404)
    segments = (path[:-1] if path.endswith("/") and path.count("/") == 2 else path).split("/")
    if len(segments) % 2 or "" in segments[2:-1]:
        raise Refused(f"odd number of path segments, or an empty one, in {path!r}")
    labels = list(map(_read_label, segments[::2], segments[1::2]))
    if not labels[0][1]:
        raise Refused("job name is required")
    return dict(labels) | dict(labels[:1])


def _read_label(name: str, value: str) -> tuple[str, str]:
    label = name.removesuffix("@base64")
    if not _LABEL_NAME.fullmatch(label):
        raise Refused(f"improper label name {label!r}")
    if label == name:
        return name, value
    try:
        # `+` is not in the URL's alphabet, but altchars would let it pass.
        encoded = value.rstrip("=").replace("+", "?")
        encoded += "=" * (-len(encoded) % 4)
        return label, base64.b64decode(encoded, altchars="-_", validate=True).decode()
    except ValueError as error:
        raise Refused(f"invalid base64 encoding for label {label}={value!r}") from error


async def _read_body(request: Request) -> str:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        _demand_small(body)
    try:
        if request.headers.get("content-encoding", "").lower() == "gzip":
            with gzip.open(io.BytesIO(body)) as plain:
                body = bytearray(plain.read(MAXIMUM_BODY_BYTES + 1))
        _demand_small(body)
        return body.decode()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise Refused(f"unreadable body: {error}") from error


def _demand_small(body: bytearray) -> None:
    if len(body) > MAXIMUM_BODY_BYTES:
        raise HTTPException(413, f"the body is over {MAXIMUM_BODY_BYTES} bytes")


async def _refuse(_request: Request, error: Exception) -> Response:
    return PlainTextResponse(f"{error}\n", 400)


def create_pushgateway() -> Starlette:
    """Make a Pushgateway with nothing pushed yet."""
    metrics = PushedMetrics()

    # Async all: one thread, so that nothing reads the groups in the midst of a push.
    async def push(request: Request) -> Response:
        grouping = _read_grouping(request.path_params["group"])
        families = _parse(await _read_body(request))
        metrics.push(grouping, families, replace=request.method == "PUT")
        return Response()

    async def delete(request: Request) -> Response:
        metrics.delete(_read_grouping(request.path_params["group"]))
        return Response(status_code=202)

    async def expose(_request: Request) -> Response:
        return Response(metrics.expose(), media_type=CONTENT_TYPE_PLAIN_0_0_4)

    healthy = PlainTextResponse("OK")
    routes = [
        Route("/metrics/{group:path}", push, methods=["PUT", "POST"]),
        Route("/metrics/{group:path}", delete, methods=["DELETE"]),
        Route("/metrics", expose),
        Route("/-/healthy", healthy, methods=["GET"]),
        Route("/-/ready", healthy, methods=["GET"]),
    ]
    return Starlette(routes=routes, exception_handlers={Refused: _refuse})
