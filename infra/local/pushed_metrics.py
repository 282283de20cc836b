"""The metrics that were pushed, group by group, in memory."""

from __future__ import annotations

import time
from collections.abc import Iterable

from prometheus_client import Metric
from prometheus_client.samples import Sample

from infra.local.text_format import SUFFIXES, Families, Refused, expose

_PUSHED, _FAILED = "push_time_seconds", "push_failure_time_seconds"
_TIMES = {
    _PUSHED: "Last Unix time when changing this group in the Pushgateway succeeded.",
    _FAILED: "Last Unix time when changing this group in the Pushgateway failed.",
}

Labels = dict[str, str]


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
        return "".join(expose(families[name]) for name in sorted(families))


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
        if any(name + suffix in merged for suffix in SUFFIXES.get(family.type, ())):
            raise Refused(f"another metric has the name of a part of {family.type} {name}")
        series = {(sample.name, *sorted(sample.labels.items())) for sample in family.samples}
        if len(series) < len(family.samples):
            raise Refused(f"{name} has two samples with the same labels")
    return merged
