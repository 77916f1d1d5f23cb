"""Probes made ready to read, of a playbook's own words. What they may connect to is the operator's to say."""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from activities.probes.probe import Probe
from activities.probes.reading.reach import Reach
from gameday.catalogue import ProbeParams

Kinds = Mapping[str, type[Probe[ProbeParams]]]


def instruments(specs: Mapping[str, Mapping[str, object]], kinds: Kinds, http: httpx.AsyncClient, reach: Reach) -> dict[str, Probe[ProbeParams]]:
    """A probe for each name, as the playbook has it: `{errors: {prometheus: {…}}}`.

    Raises:
        KeyError, ValueError: this gameday knows no such probe, or not with such parameters.
    """
    return {name: _instrument(spec, kinds, http, reach) for name, spec in specs.items()}


def _instrument(spec: Mapping[str, object], kinds: Kinds, http: httpx.AsyncClient, reach: Reach) -> Probe[ProbeParams]:
    ((kind, params),) = spec.items()
    probe = kinds[kind](kinds[kind].Params.model_validate(params or {}), http)
    probe.reach = reach
    return probe
