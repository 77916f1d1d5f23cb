"""What a schema cannot say: names that must exist, units that must fit, times that must be possible, pieces that contradict each other.

The checks read the plain data of a playbook, not its model, so that they also find what is wrong in a playbook whose schema has problems.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from gameday.catalogue import Catalogue
from gameday.errors import LanguageError
from gameday.language import KEYWORDS, Clock, Expectation, Guardrail, Phrase, Prediction, Question, Tolerance
from gameday.nearest import nearest
from gameday.playbook import Afterwards, BlastRadius, Fault
from gameday.units import UNITS, Dimension, Unit, format_duration, parse_duration

Path = tuple[str | int, ...]
P = TypeVar("P", bound=Phrase)


@dataclass(frozen=True)
class Finding:
    """Something wrong (or doubtful) at a path. With `params` and `detail` it is one of pydantic's errors below that path."""

    path: Path
    message: str = ""
    expected: str = ""
    warning: bool = False
    at_key: bool = False
    params: type[BaseModel] | None = None
    detail: ErrorDetails | None = None


def check(data: Mapping[str, Any], catalogue: Catalogue) -> list[Finding]:
    """Every finding in the plain data of a playbook; shape errors that the schema reports are passed over here."""
    units = dict(_probe_units(data, catalogue))
    return [
        *_probes(data, catalogue),
        *_tolerances(data, units),
        *_totals(data, units),
        *_faults(data, catalogue),
        *_order(data),
        *_times(data),
        *_people(data),
        *_judgeable(data),
        *_contradictions(data),
    ]


def _walk(value: Any, *parts: str, at: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Everything at `parts` below `value`, where `*` is any item; silent where the shape is another."""
    if not parts:
        yield at, value
    elif parts[0] == "*" and isinstance(value, list):
        for index, item in enumerate(value):
            yield from _walk(item, *parts[1:], at=(*at, index))
    elif parts[0] == "*" and isinstance(value, dict):
        for key, item in value.items():
            yield from _walk(item, *parts[1:], at=(*at, key))
    elif isinstance(value, dict) and parts[0] in value:
        yield from _walk(value[parts[0]], *parts[1:], at=(*at, parts[0]))


def _phrases(data: Any, kind: type[P], *parts: str) -> Iterator[tuple[Path, P]]:
    for path, text in _walk(data, *parts):
        try:
            if isinstance(text, str):
                yield path, kind.parse(text)
        except LanguageError:
            continue


def _duration(value: Any, default: timedelta) -> timedelta:
    try:
        return parse_duration(value) if isinstance(value, str) else default
    except LanguageError:
        return default


def _probe_kinds(data: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    for path, spec in _walk(data, "probes", "*"):
        if isinstance(spec, dict) and len(spec) == 1:
            kind, params = next(iter(spec.items()))
            yield str(path[1]), kind, params


def _probe_units(data: Mapping[str, Any], catalogue: Catalogue) -> Iterator[tuple[str, Unit | None]]:
    """The unit of each declared probe; None where it is not known, so that one mistake is not reported twice."""
    yield from ((str(path[1]), None) for path, _ in _walk(data, "probes", "*"))
    for name, kind, params in _probe_kinds(data):
        try:
            yield name, catalogue.probes[kind].Params.model_validate(params or {}).measured_in()
        except (KeyError, ValidationError, ValueError):
            continue


def _probes(data: Mapping[str, Any], catalogue: Catalogue) -> Iterator[Finding]:
    for path, spec in _walk(data, "probes", "*"):
        if str(path[1]) in KEYWORDS:
            yield Finding(path, f"{path[1]!r} is a word of the language", "another name for the probe", at_key=True)
        if isinstance(spec, dict) and len(spec) != 1:
            yield Finding(path, "a probe has exactly one kind", "such as {http: {url: …}}")
    for name, kind, params in _probe_kinds(data):
        path = ("probes", name, kind)
        if kind not in catalogue.probes:
            yield Finding(
                path,
                f"there is no probe {kind!r}",
                f"{nearest(kind, catalogue.probes)}  `gameday catalog` lists all {len(catalogue.probes)}",
                at_key=True,
            )
            continue
        yield from _params(path, catalogue.probes[kind].Params, params)
        try:
            catalogue.probes[kind].Params.model_validate(params or {}).measured_in()
        except ValidationError:
            continue
        except ValueError as error:
            message, _, expected = str(error).partition("; expected ")
            yield Finding((*path, "unit"), message, expected)


def _params(path: Path, model: type[BaseModel], params: Any) -> Iterator[Finding]:
    try:
        model.model_validate({} if params is None else params)
    except ValidationError as error:
        for detail in error.errors():
            yield Finding(path, params=model, detail=detail)


def _all_tolerances(data: Mapping[str, Any]) -> Iterator[tuple[Path, str, Tolerance | None]]:
    for path, tolerance in _phrases(data, Tolerance, "steady_state", "*"):
        yield path, tolerance.probe, tolerance
    for path, guardrail in _phrases(data, Guardrail, "abort_when", "*"):
        yield path, guardrail.probe, guardrail.tolerance
    for path, expectation in _phrases(data, Expectation, "scenarios", "*", "expect", "*"):
        if expectation.tolerance:
            yield path, expectation.tolerance.probe, expectation.tolerance
    for path, prediction in _phrases(data, Prediction, "scenarios", "*", "predict", "*"):
        if prediction.question is Question.WORST and prediction.probe:
            yield path, prediction.probe, None


def _tolerances(data: Mapping[str, Any], units: Mapping[str, Unit | None]) -> Iterator[Finding]:
    for path, probe, tolerance in _all_tolerances(data):
        if probe not in units:
            yield Finding(path, f"there is no probe {probe!r}", nearest(probe, units))
            continue
        unit = units[probe]
        written = tolerance.bound.unit if tolerance else None
        if unit is None or tolerance is None or tolerance.bound.times_baseline:
            continue
        if written and UNITS[written].dimension is not unit.dimension:
            fitting = [u.name for u in UNITS.values() if u.dimension is unit.dimension and u.name not in {"ratio", "count"}]
            yield Finding(
                path, f"{probe!r} is measured as {unit.dimension}, not in {written!r}", f"a bound in {' or '.join(fitting) or 'plain numbers'}"
            )
        if written is None and unit.dimension is Dimension.TIME:
            yield Finding(path, f"the unit is missing: {probe!r} is a time", f"such as '{tolerance.bound.number:g} {unit.name}'")


def _totals(data: Mapping[str, Any], units: Mapping[str, Unit | None]) -> Iterator[Finding]:
    for path, guardrail in _phrases(data, Guardrail, "abort_when", "*"):
        unit = units.get(guardrail.probe)
        if guardrail.in_total and unit is not None and unit.dimension is not Dimension.COUNT:
            yield Finding(
                path, f"a total needs a counter, and {guardrail.probe!r} is a {unit.dimension}", "a probe that counts, such as a Prometheus counter"
            )


def _faults(data: Mapping[str, Any], catalogue: Catalogue) -> Iterator[Finding]:
    longest = _duration(
        (data.get("blast_radius") or {}).get("max_duration") if isinstance(data.get("blast_radius"), dict) else None, BlastRadius().max_duration
    )
    allowed = next((hosts for _, hosts in _walk(data, "blast_radius", "hosts") if isinstance(hosts, list)), None)
    for path, fault in _walk(data, "scenarios", "*", "faults", "*"):
        if not isinstance(fault, dict):
            continue
        if _duration(fault.get("for"), timedelta()) > longest:
            yield Finding(
                (*path, "for"), f"longer than blast_radius.max_duration ({format_duration(longest)})", f"at most {format_duration(longest)}"
            )
        target = fault.get("on", {"host": "local"})
        if isinstance(target, dict) and ("host" in target) == ("hosts" in target):
            yield Finding((*path, "on"), "a target is on one host, or among candidates", "'host: NAME' or 'hosts: {label: value}', one of the two")
        if isinstance(target, dict) and "count" in target and "hosts" not in target:
            yield Finding((*path, "on", "count"), "a count chooses among candidates", "'hosts: {label: value}' beside it", at_key=True)
        host = target.get("host") if isinstance(target, dict) else None
        if allowed is not None and host is not None and host not in allowed:
            yield Finding((*path, "on", "host"), f"{host!r} is outside the blast radius", nearest(str(host), allowed))
        yield from _kind(path, fault, catalogue)


def _kind(path: Path, fault: Mapping[str, Any], catalogue: Catalogue) -> Iterator[Finding]:
    kind = fault.get("inject")
    if not isinstance(kind, str):
        return
    if kind not in catalogue.injectors:
        yield Finding(
            (*path, "inject"),
            f"there is no injector {kind!r}",
            f"{nearest(kind, catalogue.injectors)}  `gameday catalog` lists all {len(catalogue.injectors)}",
        )
        return
    injector = catalogue.injectors[kind]
    at = (*path, "with") if "with" in fault else path
    yield from _params(at, injector.Params, fault.get("with"))
    target = fault.get("on", {})
    things = [key for key in ("process", "pid_file", "unit", "envoy") if isinstance(target, dict) and key in target]
    if len(things) > 1 or any(thing not in injector.things for thing in things) or (injector.things and not things):
        needs = " or ".join(sorted(injector.things)) or "a host alone"
        yield Finding(
            (*path, "on"),
            f"{kind} touches {needs}, one of them",
            f"such as {{host: local, {sorted(injector.things)[0]}: …}}" if injector.things else "{host: local}",
        )
    if fault.get("until") and injector.momentary:
        yield Finding((*path, "until"), f"{kind} is over in a moment: it cannot last until something", "no 'until'", at_key=True)


def _order(data: Mapping[str, Any]) -> Iterator[Finding]:
    for scenario_path, faults in _walk(data, "scenarios", "*", "faults"):
        if not isinstance(faults, list):
            continue
        names: dict[str, Any] = {}
        for index, fault in enumerate(faults):
            name = fault.get("name") if isinstance(fault, dict) else None
            if name in names:
                yield Finding((*scenario_path, index, "name"), f"the fault {name!r} is here twice", "each name once in a scenario")
            if isinstance(name, str):
                names[name] = fault.get("after")
        for index, fault in enumerate(faults):
            after = fault.get("after") if isinstance(fault, dict) else None
            if after is None:
                continue
            if after not in names:
                yield Finding((*scenario_path, index, "after"), f"there is no fault {after!r} in this scenario", nearest(str(after), names))
            elif _circular(names, fault.get("name")):
                yield Finding((*scenario_path, index, "after"), f"{fault.get('name')!r} would wait for itself", "an order without a circle")


def _circular(after: Mapping[str, Any], start: Any) -> bool:
    seen, at = set(), start
    while at is not None:
        if at in seen:
            return True
        seen.add(at)
        at = after.get(at)
    return False


def _minutes(value: Any) -> int | None:
    if not isinstance(value, str) or len(value) != 5 or value[2] != ":" or not (value[:2] + value[3:]).isdecimal():
        return None
    return int(value[:2]) * 60 + int(value[3:])


def _times(data: Mapping[str, Any]) -> Iterator[Finding]:
    last, last_name = None, ""
    for name in ("start", "latest_inject", "stop"):
        for path, value in _walk(data, "times", name):
            minutes = _minutes(value)
            if minutes is not None and last is not None and minutes <= last:
                yield Finding(path, f"{name} {value} is not after {last_name}", "start, then latest_inject, then stop, within one day")
            last, last_name = (minutes, f"{name} {value}") if minutes is not None else (last, last_name)
    earliest = next((_minutes(value) for _, value in _walk(data, "times", "start")), None)
    latest = min(
        (m for name in ("latest_inject", "stop") for _, value in _walk(data, "times", name) if (m := _minutes(value)) is not None), default=None
    )
    for path, value in _walk(data, "scenarios", "*", "planned"):
        minutes = _minutes(value)
        if minutes is None:
            continue
        if latest is not None and minutes >= latest:
            yield Finding(path, f"planned at {value}, when nothing may be injected any more", f"before {latest // 60:02}:{latest % 60:02}")
        if earliest is not None and minutes < earliest:
            yield Finding(path, f"planned at {value}, before the day starts", "in the order of the day, after its start")
        earliest = minutes


def _people(data: Mapping[str, Any]) -> Iterator[Finding]:
    names: dict[str, Path] = {}
    alone = [_walk(data, "team", role, "name") for role in ("commander", "technical_lead", "safety")]
    several = [_walk(data, "team", role, "*", "name") for role in ("responders", "observers")]
    for walk in (*alone, *several):
        for path, name in walk:
            if isinstance(name, str) and name in names:
                yield Finding(path, f"{name!r} is on the team twice", "one role a person", warning=True)
            names.setdefault(str(name), path)
    for path, owner in _walk(data, "checklist", "*", "owner"):
        if isinstance(owner, str) and names and owner not in names:
            yield Finding(path, f"{owner!r} is not on the team", nearest(owner, names))


def _judgeable(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Expectations that nothing could ever judge."""
    for path, expectation in _phrases(data, Expectation, "scenarios", "*", "expect", "*"):
        if expectation.alert and not data.get("alerts"):
            yield Finding(path, "no alert source could judge this", "an 'alerts' block with 'from: {alertmanager: {url: …}}'")
        if expectation.clock in {Clock.MITIGATE, Clock.RECOVER} and not data.get("steady_state"):
            yield Finding(path, f"'{expectation.clock}' means steady state again, and no steady_state is declared", "a 'steady_state' list")
        if expectation.clock is Clock.DETECT and not data.get("alerts"):
            yield Finding(
                path, "no alerts are read: only a human mark could show detection", "an 'alerts' block, or people who mark it", warning=True
            )
    for path, _ in _walk(data, "scenarios", "*", "faults", "*", "until"):
        if not data.get("steady_state") and _ == "mitigated":
            yield Finding(path, "'until: mitigated' needs a steady state to come back to", "a 'steady_state' list")


def _contradictions(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Pieces that are each fine and do not go together: warnings."""
    expected = {alert for _, alert in _walk(data, "alerts", "expected", "*")}
    alert_probes = {name: params.get("alert") for name, kind, params in _probe_kinds(data) if kind == "alert" and isinstance(params, dict)}
    for path, guardrail in _phrases(data, Guardrail, "abort_when", "*"):
        if alert_probes.get(guardrail.probe) in expected:
            yield Finding(
                path, f"the expected alert {alert_probes[guardrail.probe]!r} would abort the run", "a guardrail on what customers feel", warning=True
            )
        if guardrail.tolerance and any(guardrail.tolerance == steady for _, steady in _phrases(data, Tolerance, "steady_state", "*")):
            yield Finding(path, "this aborts exactly while the system is steady", "the opposite comparison", warning=True)
    if not data.get("abort_when"):
        yield Finding(("name",), "there is no guardrail: nothing but people would stop this day", "an 'abort_when' list", warning=True)
    for path, scenario in _walk(data, "scenarios", "*"):
        if isinstance(scenario, dict):
            yield from _scenario_contradictions(path, scenario)
    baseline = next((_duration(value, timedelta(seconds=30)) for _, value in _walk(data, "sampling", "baseline")), timedelta(seconds=30))
    for path, _, tolerance in _all_tolerances(data):
        if tolerance and tolerance.bound.times_baseline and not baseline:
            yield Finding(
                path, "no baseline is measured (sampling.baseline is 0s): this cannot be judged", "a baseline, or an absolute bound", warning=True
            )


def _scenario_contradictions(path: Path, scenario: Mapping[str, Any]) -> Iterator[Finding]:
    faults = [fault for _, fault in _walk(scenario, "faults", "*") if isinstance(fault, dict)]
    default = Fault.model_fields["duration"].default
    longest = max((_duration(fault.get("at"), timedelta()) + _duration(fault.get("for"), default) for fault in faults), default=timedelta())
    within = _duration(next((value for _, value in _walk(scenario, "afterwards", "recover_within")), None), Afterwards().recover_within)
    for phrase_path, expectation in _phrases(scenario, Expectation, "expect", "*"):
        if expectation.within is None:
            continue
        if expectation.clock is Clock.MITIGATE and expectation.within > longest:
            message = f"'{expectation}', but the fault ends by itself after {format_duration(longest)}: people may never get the chance"
            yield Finding((*path, *phrase_path), message, "a longer 'for'", warning=True)
        if expectation.clock is Clock.RECOVER and expectation.within > within:
            message = f"'{expectation}', but recovery is watched for {format_duration(within)} only"
            yield Finding((*path, *phrase_path), message, "a longer 'afterwards.recover_within'", warning=True)
    observed = _duration(scenario.get("observe"), longest)
    for card_path, at in _walk(scenario, "cards", "*", "at"):
        if _duration(at, timedelta()) >= observed:
            yield Finding(
                (*path, *card_path), f"this card comes after the scenario is over ({format_duration(observed)})", "an earlier 'at'", warning=True
            )
    for index, fault in enumerate(faults):
        if _duration(fault.get("at"), timedelta()) >= observed and observed:
            yield Finding(
                (*path, "faults", index, "at"),
                f"this fault would start after the scenario is over ({format_duration(observed)})",
                "an earlier 'at'",
                warning=True,
            )
