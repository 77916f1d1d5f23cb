"""`http.fault`: requests through an Envoy are delayed, or answered with an error."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, Self

from pydantic import Field, model_validator

from activities.injectors.injector import Host, Injector
from activities.steps.envoy_runtime import EnvoyRuntime
from activities.targets import EnvoyFacts
from gameday.catalogue import InjectorParams
from gameday.fault import ResolvedTarget
from gameday.model import Duration

Delay = Annotated[Duration, Field(ge=timedelta(milliseconds=1), le=timedelta(minutes=1))]


class HttpFault(Injector["HttpFault.Params"]):
    """Delays or aborts a share of the requests, through the runtime of Envoy's fault filter. Source: Envoy docs, HTTP fault injection."""

    kind = "http.fault"
    things = frozenset({"envoy"})

    class Params(InjectorParams):
        """What happens to a request, and to how many; a delay and an error may go together."""

        delay: Delay | None = None
        """How long a request waits, 1ms to 1m."""
        abort: Annotated[int, Field(ge=400, le=599)] | None = None
        """The HTTP status that a request is answered with, instead of being passed on."""
        percent: Annotated[int, Field(ge=1, le=100)] = 100
        """The share of the requests, in percent."""

        @model_validator(mode="after")
        def _something(self) -> Self:
            if self.delay is None and self.abort is None:
                raise ValueError("nothing would happen; expected 'delay: 400ms', 'abort: 503', or both")
            return self

    def preflight(self, params: Params, target: ResolvedTarget, host: Host) -> Iterator[str]:
        yield from EnvoyFacts.of(target).problems()

    def steps(self, params: Params, target: ResolvedTarget, host: Host) -> tuple[EnvoyRuntime, ...]:
        envoy = EnvoyFacts.of(target)
        settings: list[tuple[str, str]] = []
        if params.delay is not None:
            milliseconds = round(params.delay / timedelta(milliseconds=1))
            settings += [("fault.http.delay.fixed_duration_ms", str(milliseconds)), ("fault.http.delay.fixed_delay_percent", str(params.percent))]
        if params.abort is not None:
            settings += [("fault.http.abort.http_status", str(params.abort)), ("fault.http.abort.abort_percent", str(params.percent))]
        return (EnvoyRuntime(envoy.host, envoy.port, tuple(settings)),)
