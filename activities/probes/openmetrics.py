"""`openmetrics`: reads a service's own metrics page, with no Prometheus between.

    {openmetrics: {url: 'http://127.0.0.1:8080/metrics', metric: http_errors_total}}                             value
    {openmetrics: {url: …, metric: http_requests_total, measure: rate}}                                          per second
    {openmetrics: {url: …, metric: http_errors_total, over: {metric: http_requests_total}}}                      ratio of two rates
    {openmetrics: {url: …, metric: http_request_duration_seconds, quantile: 0.99, labels: {path: /checkout}}}    quantile of a histogram

The series that match `labels` are summed, whatever is measured. `rate`, `ratio` and `quantile` are of the last `window` (10 s unless
written): the growth between the scrapes in it, resets taken into account, nothing extrapolated. They need two scrapes, so the first
sample is unknown; let the window be twice the sampling's interval or more.

A counter that the page declares and that has no series yet is 0: counters appear with their first event. A label *name* that no series
of the metric has is a mistake, and unknown. A quantile beyond the largest finite bucket reads as that bucket's bound.
"""

from __future__ import annotations

import asyncio
import math
import time
from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import Field, model_validator

from activities.probes.probe import Probe, Unknown
from activities.probes.reading import histogram
from activities.probes.reading.exposition import ACCEPT, Selector, Series, read
from activities.probes.reading.growth import Growth
from activities.probes.reading.params import Headers, Labels, Metric, Url, measured_as, revealed
from activities.probes.reading.web import Answer, place, whole
from gameday.catalogue import ProbeParams
from gameday.model import Duration, Model, PositiveDuration
from gameday.units import Unit, format_duration

if TYPE_CHECKING:
    import httpx

_MOST_BYTES = 8 * 1024 * 1024


class Measure(StrEnum):
    VALUE = "value"
    RATE = "rate"
    RATIO = "ratio"
    QUANTILE = "quantile"


class Over(Model):
    """The counter below the line of a ratio."""

    metric: Metric
    """Its name."""
    labels: Labels = Field(default_factory=dict)
    """Labels that its series must have; all series unless written."""


class OpenMetricsParams(ProbeParams):
    """Which series of which page, and what to compute of them.

    `unit` says what the metric itself counts in: for a value (default count) and for a quantile (default s).
    """

    url: Url
    """The metrics page, such as http://127.0.0.1:8080/metrics."""
    metric: Metric
    """The name as Prometheus shows it; of a histogram without `_bucket`."""
    labels: Labels = Field(default_factory=dict)
    """Labels that the series must have, with their values; all series unless written. What matches is summed."""
    measure: Measure | None = None
    """`value`, `rate` per second, `ratio` or `quantile`. It follows from `over` or `quantile` where one is written, else it is the value."""
    quantile: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Which quantile of a histogram, such as 0.99."""
    over: Over | None = None
    """The counter that the metric is a share of."""
    window: Annotated[Duration, Field(ge=timedelta(seconds=1), le=timedelta(minutes=15))] = timedelta(seconds=10)
    """How far a rate, a ratio or a quantile looks back; twice `sampling.every` or more."""
    stale_after: PositiveDuration = timedelta(seconds=60)
    """How old values may be that carry a time stamp of their own."""
    headers: Headers = Field(default_factory=dict)
    """Headers of the request; values may hold secrets, such as `Bearer secret://env/TOKEN`."""

    def measures(self) -> Measure:
        """What is measured, written or implied."""
        return self.measure or (Measure.QUANTILE if self.quantile is not None else Measure.RATIO if self.over else Measure.VALUE)

    @model_validator(mode="after")
    def _fits(self) -> Self:
        for name, given, owner in (("quantile", self.quantile, Measure.QUANTILE), ("over", self.over, Measure.RATIO)):
            if given is not None and self.measures() is not owner:
                raise ValueError(f"{name!r} does not belong to 'measure: {self.measures()}'; expected 'measure: {owner}', or no 'measure'")
            if given is None and self.measures() is owner:
                raise ValueError(f"'measure: {owner}' lacks {name!r}; expected it beside")
        if "window" in self.model_fields_set and self.measures() is Measure.VALUE:
            raise ValueError("a value has no window; expected 'measure: rate', a quantile or a ratio beside 'window'")
        return self

    def measured_in(self) -> Unit:
        match self.measures():
            case Measure.RATE:
                return measured_as(self, "/s")
            case Measure.RATIO:
                return measured_as(self, "ratio")
            case Measure.QUANTILE if "unit" not in self.model_fields_set:
                return measured_as(self, "s")
            case _:
                return super().measured_in()


class OpenMetricsProbe(Probe[OpenMetricsParams]):
    """Reads a service's own metrics page: a value, a rate, a ratio or a quantile."""

    kind = "openmetrics"
    Params = OpenMetricsParams

    def __init__(self, params: OpenMetricsParams, http: httpx.AsyncClient) -> None:
        super().__init__(params, http)
        suffix = "_bucket" if params.measures() is Measure.QUANTILE else ""
        self._selectors = [Selector(params.metric.removesuffix(suffix) + suffix, frozenset(params.labels.items()))]
        if params.over:
            self._selectors.append(Selector(params.over.metric, frozenset(params.over.labels.items())))
        self._growths = [Growth(params.window.total_seconds()) for _ in self._selectors]

    async def sample(self) -> float:
        headers = {"Accept": ACCEPT, **revealed(self.params.headers)}
        answer = await whole(self.http, self.params.url, most_bytes=_MOST_BYTES, headers=headers)
        at = time.monotonic()
        # In a thread, since a page of thousands of series would keep every other probe waiting.
        scraped = await asyncio.to_thread(self._read, answer)
        if self.params.measures() is Measure.VALUE:
            return math.fsum(scraped[0].values.values()) * self.params.measured_in().scale
        self._no_gauges(scraped)
        for growth, series in zip(self._growths, scraped, strict=True):
            growth.add(at, series.values)
        return self._of_window()

    def _read(self, answer: Answer) -> list[Series]:
        scraped = [read(answer.body, answer.content_type, selector) for selector in self._selectors]
        oldest = min((series.oldest for series in scraped if series.oldest is not None), default=math.inf)
        if time.time() - oldest > self.params.stale_after.total_seconds():
            raise Unknown(f"stale: {place(self.params.url)} gives it as of {time.time() - oldest:.0f} s ago")
        return scraped

    def _no_gauges(self, scraped: list[Series]) -> None:
        for selector, series in zip(self._selectors, scraped, strict=True):
            if series.gauge:
                raise Unknown(f"{selector.metric} is a gauge, and a {self.params.measures()} needs a counter")

    def _of_window(self) -> float:
        window, growth = format_duration(self.params.window), self._growths[0]
        if growth.seconds <= 0:
            raise Unknown(f"this needs two scrapes within {window}, and there is one")
        if self.params.quantile is not None:
            value = histogram.quantile(self.params.quantile, growth.by_bucket())
            if value is None:
                raise Unknown("its buckets lack +Inf or all others" if growth.total() > 0 else f"nothing was observed in the last {window}")
            return value * self.params.measured_in().scale
        if self.params.over is None:
            return growth.total() / growth.seconds
        requests = self._growths[1].total()
        if requests <= 0:
            raise Unknown(f"no {self.params.over.metric} in the last {window}")
        return growth.total() / requests
