"""`alert`: 1 while an alert fires, else 0.

    {alert: {alert: LedgerDown, from: {alertmanager: {url: 'http://127.0.0.1:9093'}}}}
    {alert: {alert: LedgerDown, from: {prometheus: {url: 'http://127.0.0.1:9090'}}}}

Through Alertmanager, a silenced or inhibited alert does not fire. An alert that no rule defines reads 0 for ever: check its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field, model_validator

from activities.alerts import address, source_of
from activities.probes.probe import Probe
from activities.probes.reading.params import measured_as
from gameday.catalogue import ProbeParams
from gameday.playbook import AlertName, AlertSource
from gameday.units import Unit

if TYPE_CHECKING:
    import httpx


class AlertParams(ProbeParams):
    """Which alert, and the one server that knows of it."""

    alert: AlertName
    """The name of the alerting rule."""
    source: AlertSource = Field(alias="from")
    """The server that is asked which alerts are firing."""

    @model_validator(mode="after")
    def _usable(self) -> Self:
        address(self.source)
        return self

    def measured_in(self) -> Unit:
        return measured_as(self, "ratio")


class AlertProbe(Probe[AlertParams]):
    """Asks whether an alert fires."""

    kind = "alert"
    Params = AlertParams

    def __init__(self, params: AlertParams, http: httpx.AsyncClient) -> None:
        super().__init__(params, http)
        self._source = source_of(params.source, http)

    async def sample(self) -> float:
        return 1.0 if self.params.alert in await self._source.firing() else 0.0
