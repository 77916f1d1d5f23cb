"""`http`: asks a URL as a customer would, and measures whether and how fast it answers.

    {http: {url: 'http://127.0.0.1:8080/health'}}                                   latency, unknown unless 200 to 299
    {http: {url: …, measure: ok, status: 204, contains: ready, within: 300ms}}      1 or 0
    {http: {url: …, headers: {Authorization: 'Bearer secret://env/TOKEN'}}}

- `latency`: from before the connection is made to the end of the body. An unexpected answer is unknown: a service that fails fast is not fast.
- `ok`: 1 when the expected answer comes `within` the time, else 0, also when the connection is refused. Keep `within` below the
  sampling's time limit (1 s): past that one, the sample is unknown.
- `status`: the code itself.

Redirects are answers, not followed. Of a body the first MiB is read. `contains` is plain text, not a regular expression, since one
that backtracks would stop the whole conductor.
"""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from activities.probes.probe import Probe, Unknown
from activities.probes.reading.params import OK_WITHIN, Answering, Headers, Url, measured_as, revealed
from activities.probes.reading.web import Answer, NoAnswer, ask
from gameday.catalogue import ProbeParams
from gameday.model import PositiveDuration, Text
from gameday.units import Unit

_MOST_BYTES = 1024 * 1024
_UNITS = {Answering.LATENCY: "s", Answering.OK: "ratio", Answering.STATUS: "count"}

_Status = Annotated[int, Field(ge=100, le=599)]
_Statuses = Annotated[
    tuple[_Status, ...],
    Field(min_length=1, max_length=50),
    BeforeValidator(lambda value: (value,) if isinstance(value, int) else value, json_schema_input_type=_Status | tuple[_Status, ...]),
]


class HttpParams(ProbeParams):
    """What to ask, what is a good answer, and what to measure of it."""

    url: Url
    """What is asked, such as http://127.0.0.1:8080/health."""
    method: Literal["GET", "HEAD", "POST"] = "GET"
    """How it is asked."""
    measure: Answering = Answering.LATENCY
    """`latency` of a good answer, `ok` (1 or 0), or the `status` code of any answer."""
    status: _Statuses | None = None
    """The status code, or the list of them, that a good answer has; 200 to 299 unless written."""
    contains: Text | None = None
    """Text that the body of a good answer contains."""
    send: Text | None = None
    """The body of a POST."""
    headers: Headers = Field(default_factory=dict)
    """Headers of the request; values may hold secrets, such as `Bearer secret://env/TOKEN`."""
    within: PositiveDuration | None = None
    """For `ok`: the time in which the answer must come, 800 ms unless written; keep it below `sampling.timeout`."""

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.within is not None and self.measure is not Answering.OK:
            raise ValueError(f"'within' does not belong to {self.measure}; expected it beside 'measure: ok' only")
        if self.measure is Answering.STATUS and (self.status or self.contains):
            raise ValueError("'measure: status' takes any answer; expected no 'status' and no 'contains' beside it")
        if self.contains is not None and self.method == "HEAD":
            raise ValueError("the answer to HEAD has no body; expected 'method: GET' beside 'contains'")
        if self.send is not None and self.method != "POST":
            raise ValueError(f"a {self.method} sends no body; expected 'method: POST' beside 'send'")
        return self

    def measured_in(self) -> Unit:
        return measured_as(self, _UNITS[self.measure])


class HttpProbe(Probe[HttpParams]):
    """Asks a URL as a customer would: whether and how fast it answers."""

    kind = "http"
    Params = HttpParams

    async def sample(self) -> float:
        headers = revealed(self.params.headers)
        if self.params.measure is Answering.OK:
            return await self._ok(headers)
        began = time.perf_counter()
        answer = await self._ask(headers)
        took = time.perf_counter() - began
        if self.params.measure is Answering.STATUS:
            return float(answer.status)
        problem = self._problem(answer)
        if problem:
            raise Unknown(problem)
        return took

    async def _ok(self, headers: dict[str, str]) -> float:
        within = self.params.within or OK_WITHIN
        try:
            async with asyncio.timeout(within.total_seconds()):
                answer = await self._ask(headers)
        except (NoAnswer, TimeoutError):
            return 0.0
        return 0.0 if self._problem(answer) else 1.0

    async def _ask(self, headers: dict[str, str]) -> Answer:
        params = self.params
        return await ask(self.http, params.url, most_bytes=_MOST_BYTES, method=params.method, headers=headers, content=params.send)

    def _problem(self, answer: Answer) -> str:
        """What is not as expected, or nothing."""
        expected = self.params.status
        if answer.status not in (expected or range(200, 300)):
            return f"answered {answer.status}; expected {', '.join(map(str, (expected or ())[:5])) or '200 to 299'}"
        if self.params.contains is not None and self.params.contains.encode() not in answer.body:
            return f"answered {answer.status} without the expected text" + (" in the first MiB" if answer.cut else "")
        return ""
