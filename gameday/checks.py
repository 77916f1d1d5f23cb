"""What a schema cannot say: names that must exist, units that must fit, kinds that must be known, times that must be possible.

The checks read the plain data of a playbook, not its model, so that they also find what is wrong in a playbook whose schema has problems.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from gameday.catalogue import Catalogue, InjectorKind
from gameday.contradictions import contradictions
from gameday.errand_checks import errand
from gameday.findings import Data, Finding, by_hand, duration_at, mappings, minutes_at, momentary, phrases, probe_kinds, texts, tolerances, walk
from gameday.language import KEYWORDS, Guardrail, Tolerance
from gameday.limits import BlastRadius
from gameday.nearest import nearest
from gameday.playbook import Fault
from gameday.units import UNITS, Dimension, Unit, format_duration
from gameday.yaml_tree import Path

__all__ = ["Finding", "check"]

_THINGS = ("process", "pid_file", "unit", "envoy", "database")
_MOST_FAULTS = 50


def check(data: Data, catalogue: Catalogue) -> Iterator[Finding]:
    """Every finding in the plain data of a playbook; shape errors that the schema reports are passed over here."""
    units = dict(_probe_units(data, catalogue))
    yield from _probes(data, catalogue)
    yield from _tolerances(data, units)
    yield from _totals(data, units)
    yield from _environment(data)
    yield from _faults(data, catalogue)
    yield from _order(data)
    yield from _times(data)
    yield from _people(data)
    yield from contradictions(data, catalogue)


def _probe_units(data: Data, catalogue: Catalogue) -> Iterator[tuple[str, Unit | None]]:
    """The unit of each declared probe; None where it is not known, so that one mistake is not reported twice."""
    yield from ((str(path[1]), None) for path, _ in walk(data, "probes", "*"))
    for name, kind, params in probe_kinds(data):
        try:
            yield name, catalogue.probes[kind].Params.model_validate(params or {}, by_alias=True, by_name=False).measured_in()
        except (KeyError, ValidationError, ValueError):
            continue


def _probes(data: Data, catalogue: Catalogue) -> Iterator[Finding]:
    for path, spec in walk(data, "probes", "*"):
        if str(path[1]) in KEYWORDS:
            yield Finding(path, f"{path[1]!r} is a word of the language", "another name for the probe", at_key=True)
        if isinstance(spec, dict) and len(spec) != 1:
            yield Finding(path, "a probe has exactly one kind", "one, such as {http: {url: …}}")
    for name, kind, params in probe_kinds(data):
        path = ("probes", name, kind)
        if kind not in catalogue.probes:
            known = f"{nearest(kind, catalogue.probes)}  `gameday catalog` lists all {len(catalogue.probes)}"
            yield Finding(path, f"there is no probe {kind!r}", known, at_key=True)
            continue
        model = catalogue.probes[kind].Params
        yield from _params(path, model, params)
        try:
            model.model_validate(params or {}, by_alias=True, by_name=False).measured_in()
        except ValidationError:
            continue
        except ValueError as error:
            message, _, expected = str(error).partition("; expected ")
            yield Finding((*path, "unit"), message, expected)


def _params(path: Path, model: type[BaseModel], params: Any) -> Iterator[Finding]:
    try:
        model.model_validate({} if params is None else params, by_alias=True, by_name=False)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            yield Finding(path, params=model, detail=detail)


def _tolerances(data: Data, units: Mapping[str, Unit | None]) -> Iterator[Finding]:
    for path, probe, tolerance in tolerances(data):
        if probe not in units:
            yield Finding(path, f"there is no probe {probe!r}", nearest(probe, units))
            continue
        unit = units[probe]
        if unit is not None and tolerance is not None and not tolerance.bound.times_baseline:
            yield from _bound(path, tolerance, unit)


def _bound(path: Path, tolerance: Tolerance, unit: Unit) -> Iterator[Finding]:
    written, number = tolerance.bound.unit, f"{tolerance.bound.number:g}"
    if written and UNITS[written].dimension is not unit.dimension:
        fitting = [each.name for each in UNITS.values() if each.dimension is unit.dimension and each.name not in {"ratio", "count"}]
        expected = f"a bound in {' or '.join(fitting)}" if fitting else f"a plain number: '{tolerance.probe} {tolerance.op} {number}'"
        yield Finding(path, f"{tolerance.probe!r} is measured as a {unit.dimension}, not in {written!r}", expected)
    if written is None and unit.dimension is Dimension.TIME:
        yield Finding(
            path,
            f"the unit is missing: {tolerance.probe!r} is a time",
            f"'{tolerance.probe} {tolerance.op} {number} {unit.name}', or in ms, s, m or h",
        )


def _totals(data: Data, units: Mapping[str, Unit | None]) -> Iterator[Finding]:
    for path, guardrail in phrases(data, Guardrail, "abort_when", "*"):
        unit = units.get(guardrail.probe)
        if not guardrail.in_total or unit is None or guardrail.tolerance is None:
            continue
        if unit.dimension is not Dimension.COUNT:
            message = f"a total needs a counter, and {guardrail.probe!r} is measured as a {unit.dimension}"
            yield Finding(path, message, "a probe that counts, such as a Prometheus counter")
        elif guardrail.tolerance.holds(0.0, unit, None):
            message = "a total begins at 0, so this would abort the run at once"
            yield Finding(path, message, f"'{guardrail.probe} > {guardrail.tolerance.bound} in total'")


def _environment(data: Data) -> Iterator[Finding]:
    allowed = [each for _, each in texts(data, "blast_radius", "environments", "*")]
    for path, environment in texts(data, "environment"):
        if allowed and environment not in allowed:
            yield Finding(path, f"{environment!r} is not one of blast_radius.environments", nearest(environment, allowed))


def _faults(data: Data, catalogue: Catalogue) -> Iterator[Finding]:
    longest = duration_at(data, "blast_radius", "max_duration", default=BlastRadius().max_duration)
    allowed = next((hosts for _, hosts in walk(data, "blast_radius", "hosts") if isinstance(hosts, list)), None)
    most = next((most for _, most in walk(data, "blast_radius", "max_targets") if isinstance(most, int)), BlastRadius().max_targets)
    for path, fault in mappings(data, "scenarios", "*", "faults", "*"):
        if duration_at(fault, "for", default=Fault.model_fields["duration"].default) > longest and not momentary(fault, catalogue):
            limit = format_duration(longest)
            yield Finding((*path, "for"), f"the fault lasts longer than blast_radius.max_duration ({limit})", f"'for: {limit}' at most")
        target = fault.get("on", {"host": "local"})
        if by_hand(fault, catalogue):
            yield from errand(data, path, fault)
        elif isinstance(target, dict):
            yield from _target((*path, "on"), target, allowed, most)
        yield from _kind(path, fault, catalogue)


def _target(path: Path, target: Data, allowed: list[Any] | None, most: int) -> Iterator[Finding]:
    host, count = target.get("host"), target.get("count")
    if ("host" in target) == ("hosts" in target):
        yield Finding(path, "a target is on one host, or among candidates", "'host: NAME' or 'hosts: {label: value}', one of the two")
    elif count is not None and "hosts" not in target:
        yield Finding((*path, "count"), "a count chooses among candidates", "'hosts: {label: value}' in place of 'host'", at_key=True)
    if isinstance(count, int) and count > most:
        yield Finding((*path, "count"), f"{count} targets are more than blast_radius.max_targets", f"at most {most}")
    if allowed is not None and isinstance(host, str) and host not in allowed:
        yield Finding((*path, "host"), f"{host!r} is outside the blast radius", nearest(host, map(str, allowed)))


def _kind(path: Path, fault: Data, catalogue: Catalogue) -> Iterator[Finding]:
    kind = fault.get("inject")
    if not isinstance(kind, str):
        return
    if kind not in catalogue.injectors:
        known = f"{nearest(kind, catalogue.injectors)}  `gameday catalog` lists all {len(catalogue.injectors)}"
        yield Finding((*path, "inject"), f"there is no injector {kind!r}", known)
        return
    injector, params = catalogue.injectors[kind], fault.get("with")
    if params is None or isinstance(params, dict):
        yield from _params((*path, "with"), injector.Params, params)
    target = fault.get("on", {})
    if isinstance(target, dict) and not injector.by_hand:
        yield from _thing((*path, "on"), injector, [thing for thing in _THINGS if thing in target])
    if fault.get("until") and momentary(fault, catalogue):
        yield Finding((*path, "until"), f"{kind} is over in a moment: it cannot last until something", "no 'until'", at_key=True)


def _thing(path: Path, injector: type[InjectorKind], named: list[str]) -> Iterator[Finding]:
    """Whether the thing on the host is one that this kind of fault can touch."""
    fitting = [thing for thing in _THINGS if thing in injector.things]
    example = f"such as {{host: local, {fitting[0]}: …}}" if fitting else "{host: local}"
    choice = " or ".join(map(repr, fitting))
    if len(named) > 1:
        yield Finding(path, f"a fault touches one thing on its host, not {' and '.join(map(repr, named))}", f"one of the two, {example}")
    elif named and not fitting:
        yield Finding(path, f"{injector.kind} touches the host itself, not {named[0]!r} on it", example)
    elif named and named[0] not in fitting:
        yield Finding(path, f"{injector.kind} cannot touch {named[0]!r}", f"{choice}, {example}")
    elif fitting and not named and "host" not in injector.things:
        yield Finding(path, f"it does not say what {injector.kind} touches on the host", f"{choice}, {example}")


def _order(data: Data) -> Iterator[Finding]:
    """Names of faults, and what waits for what."""
    for path, faults in walk(data, "scenarios", "*", "faults"):
        if not isinstance(faults, list) or len(faults) > _MOST_FAULTS:
            continue
        after: dict[str, Any] = {}
        for (index,), fault in mappings(faults, "*"):
            name = fault.get("name")
            if isinstance(name, str) and name in after:
                yield Finding((*path, index, "name"), f"the fault {name!r} is here twice", "each name once in a scenario")
            elif isinstance(name, str):
                after[name] = fault.get("after")
        for (index, _), waits_for in texts(faults, "*", "after"):
            name = faults[int(index)].get("name")
            if waits_for not in after:
                yield Finding((*path, index, "after"), f"there is no fault {waits_for!r} in this scenario", nearest(waits_for, after))
            elif isinstance(name, str) and _circular(after, name):
                yield Finding((*path, index, "after"), f"{name!r} would wait for itself", "an order without a circle")


def _circular(after: Mapping[str, Any], start: str) -> bool:
    seen: set[str] = set()
    at: Any = start
    while isinstance(at, str):
        if at in seen:
            return True
        seen.add(at)
        at = after.get(at)
    return False


def _times(data: Data) -> Iterator[Finding]:
    last: tuple[int, str] | None = None
    for name in ("start", "latest_inject", "stop"):
        for path, text, minutes in minutes_at(data, "times", name):
            if last and minutes <= last[0]:
                yield Finding(path, f"{name} {text} is not after {last[1]}", "start, then latest_inject, then stop, within one day")
            last = (minutes, f"{name} {text}")
    yield from _planned(data)


def _planned(data: Data) -> Iterator[Finding]:
    ends = [(minutes, f"{name} {text}") for name in ("latest_inject", "stop") for _, text, minutes in minutes_at(data, "times", name)]
    earliest = next(((minutes, f"the day's start at {text}") for _, text, minutes in minutes_at(data, "times", "start")), None)
    for path, text, minutes in minutes_at(data, "scenarios", "*", "planned"):
        if ends and minutes >= min(ends)[0]:
            yield Finding(path, f"planned at {text}, when nothing may be injected any more", f"a time before {min(ends)[1]}")
        if earliest and minutes < earliest[0]:
            yield Finding(path, f"planned at {text}, before {earliest[1]}", "scenarios in the order of the day")
        earliest = (minutes, f"the scenario above it, planned at {text}")


def _people(data: Data) -> Iterator[Finding]:
    people = [found for role in ("commander", "technical_lead", "safety") for found in walk(data, "team", role)]
    people += [found for role in ("responders", "observers") for found in walk(data, "team", role, "*")]
    names: set[str] = set()
    ids: dict[tuple[str, str], str] = {}
    for path, person in people:
        if not isinstance(person, dict):
            names.add(str(person))  # the schema says that this is no person; who is meant is clear
            continue
        name = person.get("name")
        if isinstance(name, str) and name in names:
            yield Finding((*path, "name"), f"{name!r} is on the team twice: the first role counts", "one role a person", warning=True)
        names.add(str(name))
        for key in person.keys() & {"slack", "user"}:
            owner = ids.setdefault((key, str(person[key])), str(name))
            if owner != name:
                yield Finding((*path, key), f"{person[key]!r} is {owner}'s already: nobody could tell who speaks", f"{name}'s own")
    for path, owner in texts(data, "checklist", "*", "owner"):
        if names and owner not in names:
            yield Finding(path, f"{owner!r} is not on the team, or is away", nearest(owner, names))
