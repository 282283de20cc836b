"""Prometheus's text format, as the Pushgateway reads and writes it."""

from __future__ import annotations

import re

from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample
from prometheus_client.utils import floatToGoString

LABEL_NAME = re.compile(r"(?!__)[a-zA-Z_][a-zA-Z0-9_]*")
_METRIC_NAME = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
_TYPE_LINE = re.compile(r"^[ \t]*#[ \t]*TYPE[ \t]+(\S+)[ \t]+(\S+)[ \t]*$", re.MULTILINE)
SUFFIXES = {"histogram": ("_bucket", "_count", "_sum"), "summary": ("_count", "_sum")}
_TYPES = {"counter", "gauge", "untyped", *SUFFIXES}
_BOUNDS = {"histogram": "le", "summary": "quantile"}

Families = dict[str, Metric]


class Refused(ValueError):
    """Raised for a push that the Pushgateway answers with 400."""


def parse(text: str) -> Families:
    """Return the families by name. Raises Refused for what is no text of the format."""
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
    if not (_METRIC_NAME.fullmatch(sample.name) and all(map(LABEL_NAME.fullmatch, sample.labels))):
        raise ValueError(f"invalid metric or label name at {sample.name!r}")
    bounds = {name: _format(float(sample.labels[name])) for name in sample.labels if name == bound}
    return sample._replace(labels=sample.labels | bounds, value=float(sample.value))


def _format(value: float) -> str:
    # Go writes whole numbers without ".0"; in the label `le` that's another series.
    written: str = floatToGoString(value)  # type: ignore[no-untyped-call]
    return written.removesuffix(".0")


def expose(family: Metric) -> str:
    """Return the lines of one family."""
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
