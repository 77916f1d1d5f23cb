"""Guardrails that would stop a day while all is well, or that nothing but the fault itself would ever move."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from gameday.findings import Data, Finding, mappings, phrases, probe_kinds, texts
from gameday.language import Expectation, Guardrail, Op, Tolerance
from gameday.units import UNITS

_MOST = 50


def guardrails(data: Data) -> Iterator[Finding]:
    if not data.get("abort_when"):
        yield Finding(("name",), "there is no guardrail: nothing but people would stop this day", "an 'abort_when' list", warning=True)
    expected = {alert for _, alert in texts(data, "alerts", "expected", "*")}
    expected |= {each.alert for _, each in phrases(data, Expectation, "scenarios", "*", "expect", "*") if each.alert}
    yield from _only_what_is_broken(data)
    watched = {name: alert for name, kind, params in probe_kinds(data) if isinstance(params, dict) and (alert := _alert_of(kind, params))}
    never_unknown = {
        name
        for name, kind, params in probe_kinds(data)
        if kind in ("http", "tcp") and isinstance(params, dict) and params.get("measure", "ok" if kind == "tcp" else "") == "ok"
    }
    steady: dict[str, list[Tolerance]] = {}
    for _, tolerance in phrases(data, Tolerance, "steady_state", "*"):
        steady.setdefault(tolerance.probe, []).append(tolerance)
    for path, guardrail in phrases(data, Guardrail, "abort_when", "*"):
        seen = watched.get(guardrail.probe)
        if seen in expected:
            yield Finding(path, f"the expected alert {seen!r} would abort the run", "a guardrail on what customers feel", warning=True)
        if guardrail.tolerance is None and guardrail.probe in never_unknown:
            message = "this probe says 0 % where there is no answer, and is never unknown: nothing would stop this day by it"
            yield Finding(path, message, f"'{guardrail.probe} < 50 % for 20s'", warning=True)
        if guardrail.tolerance is None or guardrail.in_total:
            continue
        same = next((each for each in steady.get(guardrail.probe, ())[:_MOST] if _implies(each, guardrail.tolerance)), None)
        if same:
            message = f"this holds whenever '{same}' of the steady state holds: the run would abort while all is well"
            yield Finding(path, message, "the opposite comparison, such as 'errors > 5 %'")


def _alert_of(kind: str, params: dict[str, Any]) -> str:
    """The alert that a probe looks at, where it is one: by its kind, or by the series in which Prometheus tells what fires."""
    said = params.get("alert") if kind == "alert" else params.get("query")
    if kind == "alert":
        return said if isinstance(said, str) else ""
    series = re.search(r'\bALERTS(?:_FOR_STATE)?\s*{[^}]*\balertname\s*=\s*["\']([^"\']+)["\']', said) if isinstance(said, str) else None
    return series.group(1) if series else ""


_UPWARD = {Op.ABOVE: True, Op.AT_LEAST: True, Op.BELOW: False, Op.AT_MOST: False}


def _implies(steady: Tolerance, guardrail: Tolerance) -> bool:
    """Whether every value that satisfies the first satisfies the second; False where units or baselines cannot be compared."""
    if steady.bound.times_baseline != guardrail.bound.times_baseline or (steady.bound.unit is None) != (guardrail.bound.unit is None):
        return False
    first, second = (each.bound.number * (UNITS[each.bound.unit].scale if each.bound.unit else 1.0) for each in (steady, guardrail))
    if steady.op is Op.EQUAL or guardrail.op is Op.EQUAL:
        return steady.op is guardrail.op and first == second
    if _UPWARD[steady.op] != _UPWARD[guardrail.op]:
        return False
    if first == second:
        return steady.op is guardrail.op or guardrail.op in {Op.AT_LEAST, Op.AT_MOST}
    return first > second if _UPWARD[steady.op] else first < second


def _only_what_is_broken(data: Data) -> Iterator[Finding]:
    """Where every guardrail looks at a fault's own target only, it says that the fault works, and nothing of who depends on it."""
    broken: set[str] = set()
    for _, target in mappings(data, "scenarios", "*", "faults", "*", "on"):
        broken |= {str(target[key]) for key in ("process", "pid_file", "unit", "host") if key in target} - {"local"}
    looks = {name: _looks_at(kind, params) for name, kind, params in probe_kinds(data) if isinstance(params, dict)}
    watched = [(path, guardrail.probe) for path, guardrail in phrases(data, Guardrail, "abort_when", "*")]
    if watched and all(looks.get(probe) in broken for _, probe in watched):
        message = "every guardrail looks only at what is being broken: none says what that does to those who depend on it"
        yield Finding(watched[0][0], message, "a guardrail on what customers feel, such as 'errors > 5 % in 3 of 5 samples'", warning=True)


def _looks_at(kind: str, params: dict[str, Any]) -> str | None:
    """The process or the host that a probe reads by itself; None where it asks something that many report to."""
    if kind == "process":
        return next((str(params[key]) for key in ("pid_file", "name", "unit") if key in params), None)
    if kind == "tcp":
        return str(params.get("host"))
    if kind in ("http", "openmetrics") and isinstance(params.get("url"), str):
        try:
            return str(urlsplit(params["url"]).hostname)
        except ValueError:
            return None
    return None
