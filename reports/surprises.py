"""What surprised us: where the day and what was expected of it part, computed from the record alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from gameday.event import EventKind
from gameday.fault import FaultOutcome
from gameday.language import Clock
from gameday.observation import Verdict, ticks
from gameday.record import RunRecord
from gameday.verdicts import UNKNOWN_SHARE, Word
from reports.measures import measures
from reports.predicted import biggest
from reports.story import Story
from reports.words import listed, said, signed


def surprises(story: Story) -> list[str]:
    """The surprises of one scenario, one sentence each; none when nothing was injected."""
    if story.injected is None:
        return []
    first = biggest(story)
    rest = (_expectations(story), _alerts(story), _steady_state(story), _detection(story), _faults(story), _unknown(story))
    return [*([first] if first else []), *(line for each in rest for line in each)]


def _expectations(story: Story) -> Iterator[str]:
    for judgement in story.judgements:
        if judgement.word is Word.REFUTED:
            yield f"{said(judgement.expectation)} was refuted: {judgement.seen}"
        elif judgement.word is Word.UNKNOWN:
            yield f"Whether {said(judgement.expectation)} holds cannot be told: {judgement.seen}"


def _alerts(story: Story) -> Iterator[str]:
    expected = story.record.plan.named_alerts
    for event in story.record.of(EventKind.ALERT_FIRING, scenario=story.index):
        if event.text("alert") not in expected:
            yield f"The alert {event.text('alert')} fired at {signed(event.at - story.zero)}, and nobody had expected it"


def _steady_state(story: Story) -> Iterator[str]:
    """Steady state that broke where nothing spoke of it, or that held where somebody meant to mitigate."""
    expected = [each.clock for each in story.scenario.expect if each.clock in (Clock.MITIGATE, Clock.RECOVER)]
    broke = _broke(story)
    if broke and not expected and not any(each.word is Word.REFUTED for each in story.judgements):
        at, what = broke
        yield f"Steady state broke at {signed(at - story.zero)} ({what}), and no expectation speaks of it"
    recover = story.clocks.recover
    if not broke and expected and recover.known and not recover.needed:
        yield f"Steady state never broke, so that {listed(map(str, expected))} had nothing to prove"


def _broke(story: Story) -> tuple[datetime, str] | None:
    """When the first steady-state tolerance failed while the fault was on, and which."""
    for at, tick in ticks(story.samples):
        verdict, tolerance = story.yardstick.steady(tick)
        if at >= story.zero and (story.gone is None or at < story.gone) and verdict is Verdict.BAD:
            return at, str(tolerance)
    return None


def _detection(story: Story) -> Iterator[str]:
    detect = story.clocks.detect
    names = story.record.plan.named_alerts
    alert = next((e for e in story.record.of(EventKind.ALERT_FIRING, scenario=story.index) if e.text("alert") in names and e.at >= story.zero), None)
    if detect.at and detect.how.startswith("marked") and names:
        late = f"the first alert came at {signed(alert.at - story.zero)}" if alert else "no alert did"
        yield f"A person noticed before the alerts: {detect.how} at {signed(detect.at - story.zero)}; {late}"
    elif detect.at is None and _broke(story):
        yield "Steady state broke, and neither an alert that the playbook names nor a person said so"


def _faults(story: Story) -> Iterator[str]:
    for fault in story.faults:
        if fault.outcome is FaultOutcome.EXPIRED:
            yield f"{fault.name} was ended by its own deadline, not by the run"
        elif fault.outcome is FaultOutcome.NEUTRALISED:
            yield f"{fault.name} was taken away by somebody before the run did it"
        elif fault.outcome is FaultOutcome.DIRTY:
            yield f"{fault.name} could not be proven gone"
        elif fault.outcome is FaultOutcome.NOT_INJECTED:
            yield f"{fault.name} was never on" + (f": {fault.reason}" if fault.reason else "")


def _unknown(story: Story) -> Iterator[str]:
    for probe in story.record.plan.playbook.probes:
        during = measures(story, probe).get("during")
        if during and during.unknown > UNKNOWN_SHARE * during.samples:
            yield f"{probe} could not be read for {during.unknown} of {during.samples} samples while the fault was on"


def silent_alerts(record: RunRecord) -> list[str]:
    """Alerts that the day was meant to raise, and that never fired."""
    fired = {event.text("alert") for event in record.of(EventKind.ALERT_FIRING)}
    alerts = record.plan.playbook.alerts
    return [name for name in (alerts.expected if alerts else ()) if name not in fired]
