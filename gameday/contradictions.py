"""Pieces of a playbook that are each fine and do not go together. What can never work is a problem; what is doubtful, a warning."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from gameday.catalogue import Catalogue
from gameday.findings import Data, Finding, duration_at, mappings, momentary, phrases, texts, tolerances, walk
from gameday.guardrail_checks import guardrails
from gameday.language import Clock, Expectation
from gameday.limits import BlastRadius, Sampling
from gameday.playbook import Afterwards, Fault
from gameday.units import format_duration

_MOST_FAULTS = 50
_FEWEST_SAMPLES = 3


def contradictions(data: Data, catalogue: Catalogue) -> Iterator[Finding]:
    yield from _judgeable(data)
    yield from guardrails(data)
    yield from _baselines(data)
    yield from _gates(data)
    yield from _zone(data)
    yield from _shares(data)
    for path, scenario in mappings(data, "scenarios", "*"):
        for finding in (*_at_once(data, scenario), *_expectations(scenario, catalogue), *_too_late(scenario)):
            yield Finding((*path, *finding.path), finding.message, finding.expected, finding.warning)


def _judgeable(data: Data) -> Iterator[Finding]:
    """Expectations and ends that nothing could ever judge."""
    alerts, steady_state = data.get("alerts"), data.get("steady_state")
    source = "an 'alerts' block with 'from: {alertmanager: {url: …}}'"
    named = bool(isinstance(alerts, dict) and alerts.get("expected")) or any(
        each.alert for _, each in phrases(data, Expectation, "scenarios", "*", "expect", "*")
    )
    unheard = "no alert is named: only people could mark the detection", "'expected: [NAME]' in the 'alerts' block"
    for path, expectation in phrases(data, Expectation, "scenarios", "*", "expect", "*"):
        if expectation.alert and not alerts:
            yield Finding(path, "no alert source could judge this", source)
        if expectation.clock is Clock.DETECT and not alerts:
            yield Finding(path, "no alerts are read: only people could mark the detection", source, warning=True)
        elif expectation.clock is Clock.DETECT and not named:
            yield Finding(path, *unheard, warning=True)
        if expectation.clock in {Clock.MITIGATE, Clock.RECOVER} and not steady_state:
            message = f"'{expectation.clock}' means steady state again, and no steady_state is declared"
            yield Finding(path, message, "a 'steady_state' list")
    for path, until in texts(data, "scenarios", "*", "faults", "*", "until"):
        if until == "mitigated" and not steady_state:
            yield Finding(path, "'until: mitigated' needs a steady state to come back to", "a 'steady_state' list")
        if until == "detected" and not alerts:
            yield Finding(path, "no alerts are read: only people could mark the detection", source, warning=True)
        elif until == "detected" and not named:
            yield Finding(path, *unheard, warning=True)


def _baselines(data: Data) -> Iterator[Finding]:
    usual = Sampling()
    length, every = (duration_at(data, "sampling", key, default=getattr(usual, key)) for key in ("baseline", "every"))
    least = next((least for _, least in walk(data, "sampling", "baseline_samples") if isinstance(least, int)), usual.baseline_samples)
    samples = max(int(length / every) + 1 if every else 1, least)
    if samples >= _FEWEST_SAMPLES:
        return
    for path, _, tolerance in tolerances(data):
        if tolerance and tolerance.bound.times_baseline:
            message = f"the baseline would be {samples} sample{'s' if samples > 1 else ''} only: chance decides what this means"
            yield Finding(path, message, "a longer sampling.baseline, more sampling.baseline_samples, or an absolute bound", warning=True)


def _gates(data: Data) -> Iterator[Finding]:
    people = len([0 for role in ("commander", "technical_lead", "safety") for _ in walk(data, "team", role)])
    people += len([0 for role in ("responders", "observers") for _ in walk(data, "team", role, "*")])
    for path, ready in walk(data, "gates", "*", "ready"):
        if isinstance(ready, int) and people and ready > people:
            yield Finding(path, f"{ready} people must say ready, and the team has {people}", f"at most {people}", warning=True)
    for path, checklist in walk(data, "gates", "*", "checklist"):
        if checklist is True and not data.get("checklist"):
            yield Finding(path, "there is no checklist that could be ticked", "a 'checklist' list", warning=True)


def _zone(data: Data) -> Iterator[Finding]:
    times = data.get("times")
    planned = [path for path, _ in walk(data, "scenarios", "*", "planned")]
    if isinstance(times, dict) and "zone" not in times and (times or planned):
        yield Finding(("times",), "no zone is given: these times are in UTC", "'zone: Europe/Berlin', or 'zone: UTC'", warning=True)
    elif planned and not isinstance(times, dict):
        yield Finding(planned[0], "no times.zone is given: this time is in UTC", "'times: {zone: Europe/Berlin}'", warning=True)


def _spans(scenario: Data) -> list[tuple[timedelta, timedelta]]:
    """When each fault begins and ends by itself, counted from inject; one that waits for another begins after its end."""
    faults = [fault for _, fault in mappings(scenario, "faults", "*")][:_MOST_FAULTS]
    by_name = {fault["name"]: fault for fault in faults if isinstance(fault.get("name"), str)}
    usual: timedelta = Fault.model_fields["duration"].default

    def span(fault: dict[str, Any], waited: int = 0) -> tuple[timedelta, timedelta]:
        before = by_name.get(fault["after"]) if isinstance(fault.get("after"), str) else None
        free = span(before, waited + 1)[1] if before and waited < len(faults) else timedelta()
        start = free + duration_at(fault, "at", default=timedelta())
        return start, start + (duration_at(fault, "for", default=usual) or usual)

    return [span(fault) for fault in faults]


def _observed(scenario: Data) -> tuple[timedelta, timedelta]:
    """How long the scenario is observed at the most, and when the last fault ends by itself."""
    ends = max((end for _, end in _spans(scenario)), default=timedelta())
    return min(duration_at(scenario, "observe", default=ends), ends), ends


def _shares(data: Data) -> Iterator[Finding]:
    """Caps on a part of the candidates, where no fault has any."""
    chosen = any(True for _ in walk(data, "scenarios", "*", "faults", "*", "on", "hosts"))
    for key in ("max_share", "min_healthy"):
        for path, _ in walk(data, "blast_radius", key):
            if not chosen:
                message = f"no fault chooses among candidates, so {key} caps nothing"
                yield Finding(path, message, "'on: {hosts: {label: value}}', or max_targets", warning=True)


def _at_once(data: Data, scenario: Data) -> Iterator[Finding]:
    most = next((most for _, most in walk(data, "blast_radius", "max_concurrent") if isinstance(most, int)), BlastRadius().max_concurrent)
    spans = _spans(scenario)
    together = max((sum(start <= begins < end for start, end in spans) for begins, _ in spans), default=0)
    if together > most:
        message = f"{together} faults would be on at the same time, more than blast_radius.max_concurrent"
        yield Finding(("faults",), message, f"at most {most}, or 'after' and 'at' to put them one after another")


def _expectations(scenario: Data, catalogue: Catalogue) -> Iterator[Finding]:
    """Expectations whose time is longer than anybody watches."""
    observed, ends = _observed(scenario)
    recovery = duration_at(scenario, "afterwards", "recover_within", default=Afterwards().recover_within)
    faults = [fault for _, fault in mappings(scenario, "faults", "*")]
    lasting = [fault for fault in faults if not momentary(fault, catalogue)]
    until_detected = bool(lasting) and all(fault.get("until") == "detected" for fault in lasting)
    if not scenario.get("expect"):
        yield Finding((), "nothing is expected: this scenario would pass whatever happens", "an 'expect' list", warning=True)
    seen: set[str] = set()
    for path, expectation in phrases(scenario, Expectation, "expect", "*"):
        if str(expectation) in seen:
            yield Finding(path, f"'{expectation}' is here twice, and would count twice", "each once", warning=True)
        seen.add(str(expectation))
        within = expectation.within or timedelta()
        if expectation.clock is Clock.MITIGATE and faults and not lasting:
            message = "the fault is over in a moment, so there is nothing to mitigate while it is on"
            yield Finding(path, message, f"'recovered within {format_duration(within)}'", warning=True)
        elif expectation.clock is Clock.MITIGATE and until_detected:
            message = f"'{expectation}', but the fault ends as soon as it is detected: people may never get the chance"
            yield Finding(path, message, "'until: mitigated'", warning=True)
        elif expectation.clock is Clock.RECOVER:
            if within > recovery:
                message = f"'{expectation}', but recovery is watched for {format_duration(recovery)} only"
                yield Finding(path, message, "a longer 'afterwards.recover_within'", warning=True)
        elif expectation.clock is Clock.MITIGATE and within > ends == observed:
            message = f"'{expectation}', but the fault ends by itself after {format_duration(ends)}: people may never get the chance"
            yield Finding(path, message, "a longer 'for'", warning=True)
        elif within > observed:
            message = f"'{expectation}', but the scenario is observed for {format_duration(observed)} only"
            yield Finding(path, message, "a longer 'for' (or 'observe')", warning=True)


def _too_late(scenario: Data) -> Iterator[Finding]:
    """Cards and faults that would come after the scenario is over."""
    observed, _ = _observed(scenario)
    over = f"after the scenario is over ({format_duration(observed)})"
    for path, _ in walk(scenario, "cards", "*", "at"):
        if duration_at(scenario["cards"][path[1]], "at", default=timedelta()) >= observed:
            yield Finding(path, f"this card comes {over}", "an earlier 'at'", warning=True)
    for (path, fault), (start, end) in zip(mappings(scenario, "faults", "*"), _spans(scenario), strict=False):
        if "for" in fault and "until" not in fault and start < observed < end:
            message = f"this fault would be taken off before its time: the scenario is observed for {format_duration(observed)} only"
            yield Finding((*path, "for"), message, "a longer 'observe', or a shorter 'for'", warning=True)
        waits = next((each for _, each in mappings(scenario, "faults", "*") if each.get("name") == fault.get("after")), {})
        if start >= observed and "until" not in waits:
            yield Finding(
                (*path, "at" if "at" in fault else "after"),
                f"this fault would start {over}",
                "an earlier 'at'" if "at" in fault else "a longer 'observe'",
                warning=True,
            )
