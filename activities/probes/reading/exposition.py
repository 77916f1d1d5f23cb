"""A metrics page: the series of one metric on it, in Prometheus' text format (0.0.4) or in OpenMetrics.

Only the lines of the metric at hand are parsed, since the parsers are slow and pages can be large.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from activities.probes.probe import Unknown
from activities.probes.reading.growth import Labels

if TYPE_CHECKING:
    from prometheus_client import Metric
    from prometheus_client.samples import Sample

ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"

_SUFFIXES = ("_total", "_bucket", "_count", "_sum", "_created", "_info")
_MOST_SERIES = 10_000


@dataclass(frozen=True)
class Selector:
    """Series: a metric by its name, as Prometheus would show it, and labels with their values."""

    metric: str
    labels: Labels = frozenset()

    def __str__(self) -> str:
        wanted = ", ".join(f'{name}="{value}"' for name, value in sorted(self.labels))
        return f"{self.metric}{{{wanted}}}" if wanted else self.metric


@dataclass(frozen=True)
class Series:
    """The matching series with their values, and the oldest time stamp written on the page (seconds since 1970), which few pages have."""

    values: Mapping[Labels, float]
    gauge: bool = False
    oldest: float | None = None


def read(body: bytes, content_type: str, selector: Selector) -> Series:
    """The series that match; none at all is an answer only of a counter that the page declares, which has then counted nothing yet.

    Raises:
        Unknown: the page is no metrics page, lacks the metric or the labels, or carries a value that cannot be.
    """
    kind = content_type.partition(";")[0].strip().lower()[:60] or "of no declared type"
    families = _families(body, kind == "application/openmetrics-text", kind, selector.metric)
    counter = any(_counts(family, selector.metric) for family in families)
    known = [sample for family in families for sample in family.samples if _is(sample, family, selector.metric)]
    matching = [sample for sample in known if selector.labels <= sample.labels.items()]
    if not matching:
        _no_series(selector, known, counter, kind)
    if len(matching) > _MOST_SERIES:
        raise Unknown(f"{selector.metric} has more than {_MOST_SERIES} series; narrow it down by labels")
    values = {frozenset(sample.labels.items()): float(sample.value) for sample in matching}
    if len(values) < len(matching):
        raise Unknown(f"the page has a series of {selector.metric} twice")
    _believable(selector, values, counter)
    stamps = [float(sample.timestamp) for sample in matching if sample.timestamp is not None]
    gauge = any(family.type == "gauge" and family.samples for family in families if family.name == selector.metric)
    return Series(values, gauge, min(stamps, default=None))


def _families(body: bytes, strict: bool, kind: str, metric: str) -> list[Metric]:
    from prometheus_client import parser as text_format
    from prometheus_client.openmetrics import parser as openmetrics_format

    parse = openmetrics_format.text_string_to_metric_families if strict else text_format.text_string_to_metric_families
    try:
        return list(parse("".join(_lines(body.decode(), metric))))
    # The parsers check less than they assume, and then fail in ways of their own.
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        raise Unknown(f"the page cannot be read as metrics (it is {kind})") from None


def _lines(page: str, metric: str) -> Iterator[str]:
    """The lines of the metric's family, and the mark at the end that shows an OpenMetrics page to be whole."""
    stem = next((metric.removesuffix(suffix) for suffix in _SUFFIXES if metric.endswith(suffix)), metric)
    for line in page.splitlines():
        if line.startswith(stem) or line == "# EOF":
            yield line + "\n"
        elif line.startswith("# ") and stem in line:
            words = line.split(maxsplit=3)
            if len(words) > 2 and words[1] in {"TYPE", "HELP", "UNIT"} and words[2].startswith(stem):
                yield line + "\n"


def _is(sample: Sample, family: Metric, metric: str) -> bool:
    # The text parser gives a counter that is named without `_total` that ending.
    return bool(sample.name == metric or (family.type == "counter" and family.name == metric and sample.name == f"{metric}_total"))


def _counts(family: Metric, metric: str) -> bool:
    """Whether the family says that this metric only grows."""
    match family.type:
        case "counter":
            return metric in {family.name, f"{family.name}_total"}
        case "histogram" | "summary":
            return metric in {f"{family.name}_bucket", f"{family.name}_count", f"{family.name}_sum"}
        case _:
            return False


def _no_series(selector: Selector, known: Iterable[Sample], counter: bool, kind: str) -> None:
    """Passes only where no series means that nothing was counted yet: counters appear with their first event."""
    names = {name for sample in known for name in sample.labels}
    if not counter and not known:
        raise Unknown(f"the page has no metric {selector.metric} (it is {kind})")
    missing = sorted(name for name, _ in selector.labels if name not in names)
    if known and missing:
        raise Unknown(f"no series of {selector.metric} has a label {missing[0]!r}")
    if not counter:
        raise Unknown(f"the page has no series {selector}"[:200])


def _believable(selector: Selector, values: Mapping[Labels, float], counter: bool) -> None:
    if not all(math.isfinite(value) for value in values.values()):
        raise Unknown(f"{selector.metric} is not a finite number")
    if counter and any(value < 0 for value in values.values()):
        raise Unknown(f"the counter {selector.metric} is below 0")
    try:
        bounds = [float(value) for labels in values for name, value in labels if name == "le"]
    except ValueError:
        bounds = [math.nan]
    if any(math.isnan(bound) for bound in bounds):
        raise Unknown(f"a bucket of {selector.metric} has no bound that is a number")
