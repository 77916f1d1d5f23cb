"""Which alerts fire, as Alertmanager or Prometheus says.

    source_of(playbook.alerts, http).firing()    frozenset({'LedgerDown'})

Alertmanager leaves out what is silenced or inhibited, as nobody is told of that. Prometheus gives every firing alert, and gives it a
moment sooner. A name that no rule has never fires: neither server tells it from one that is quiet.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from activities.probes.probe import Unknown
from activities.probes.reading.params import base_url
from activities.probes.reading.web import place, whole
from gameday import playbook
from gameday.model import one_line

if TYPE_CHECKING:
    import httpx

_MOST_BYTES = 8 * 1024 * 1024


class AlertSource(Protocol):
    """Where alerts are read from."""

    async def firing(self) -> frozenset[str]:
        """The names of the alerts that are firing now.

        Raises:
            Unknown: there is no answer, or none that can be believed.
        """


class Alertmanager:
    """Source: Alertmanager's API v2, `/alerts`."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self._url, self._http = f"{url}/api/v2/alerts?active=true&silenced=false&inhibited=false&unprocessed=false", http

    async def firing(self) -> frozenset[str]:
        answer = await _json(self._http, self._url)
        if not isinstance(answer, list):
            raise Unknown(f"what {place(self._url)} answers is not Alertmanager's API")
        return frozenset(_names(answer, self._url))


class Prometheus:
    """Source: Prometheus' HTTP API, `/alerts`."""

    def __init__(self, url: str, http: httpx.AsyncClient) -> None:
        self._url, self._http = f"{url}/api/v1/alerts", http

    async def firing(self) -> frozenset[str]:
        answer = await _json(self._http, self._url)
        data = answer.get("data") if isinstance(answer, dict) and answer.get("status") == "success" else None
        alerts = data.get("alerts") if isinstance(data, dict) else None
        if not isinstance(alerts, list):
            raise Unknown(f"what {place(self._url)} answers is not Prometheus' API")
        return frozenset(_names([alert for alert in alerts if not isinstance(alert, dict) or alert.get("state") == "firing"], self._url))


def source_of(alerts: playbook.Alerts | playbook.AlertSource, http: httpx.AsyncClient) -> AlertSource:
    """The source that a playbook names.

    Raises:
        ValueError: the server's address cannot be used.
    """
    source = alerts.source if isinstance(alerts, playbook.Alerts) else alerts
    return (Alertmanager if source.alertmanager else Prometheus)(address(source), http)


def address(source: playbook.AlertSource) -> str:
    """The base URL of the one server that a source names.

    Raises:
        ValueError: it cannot be used.
    """
    server = source.alertmanager or source.prometheus
    assert server is not None, "the model has exactly one"
    return base_url(server.url)


async def _json(http: httpx.AsyncClient, url: str) -> Any:
    answer = await whole(http, url, most_bytes=_MOST_BYTES)
    try:
        return json.loads(answer.body)
    except (ValueError, RecursionError):
        raise Unknown(f"what {place(url)} answers is no JSON") from None


def _names(alerts: list[Any], url: str) -> Iterator[str]:
    """The names; alerts that were sent to Alertmanager without one are passed over, since no playbook can mean them."""
    for alert in alerts:
        labels = alert.get("labels") if isinstance(alert, dict) else None
        if not isinstance(labels, dict):
            raise Unknown(f"{place(url)} lists an alert without labels")
        name = labels.get("alertname")
        if isinstance(name, str):
            yield one_line(name)
