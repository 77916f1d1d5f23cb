"""One scenario of a postmortem, as rows and sentences in plain text. How they are laid out is the template's business."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from gameday.by_hand import at
from gameday.clocks import Reading
from gameday.commands import NoteAbout
from gameday.event import Event, EventKind
from gameday.language import Clock
from gameday.probe import Sample
from gameday.units import clock, spoken
from gameday.verdicts import Word, judge
from reports import predicted
from reports.measures import PERIODS, Measure, measures, shown
from reports.picture import describe
from reports.proofs import on_for, proofs, said_of
from reports.story import Story
from reports.surprises import surprises
from reports.timeline import scenario_timeline
from reports.words import local_time, milliseconds, offset, outside_steady_state

Row = tuple[str, ...]

SIGNS = {Word.UPHELD: "✔", Word.REFUTED: "✘", Word.UNKNOWN: "?", Word.NOT_REACHED: "–", Word.NOT_NEEDED: "–"}
_SHOWN_SAMPLES = 5


@dataclass(frozen=True)
class Notes:
    """What people said, by what it was about. An action has its owner and its due date."""

    went_well: list[str]
    went_wrong: list[str]
    lucky: list[str]
    actions: list[Row]

    def __bool__(self) -> bool:
        return bool(self.went_well or self.went_wrong or self.lucky or self.actions)


@dataclass(frozen=True)
class Section:
    """What the report tells of one scenario."""

    hypothesis: str
    points: str
    facts: str
    expectations: list[Row]
    clocks: list[Row]
    pictures: list[Row]
    not_pictured: list[str]
    measurements: list[Row]
    faults: list[Row]
    proofs: list[Row]
    timeline: list[Row]
    surprises: list[str]
    predictions: list[Row]
    surprise: str
    notes: Notes
    cards: list[Row]


def section(story: Story) -> Section:
    """Everything that the report tells of one scenario."""
    pictured = set(picture_files(story))
    return Section(
        hypothesis=story.scenario.hypothesis,
        points=story.points if story.injected else story.outcome,
        facts=" · ".join(_facts(story)),
        expectations=list(_expectations(story)),
        clocks=[_clock(story, which) for which in Clock] if story.injected else [],
        pictures=[(describe(story, probe), name) for probe, name in picture_files(story).items()],
        not_pictured=[probe for probe in story.record.plan.playbook.probes if probe not in pictured],
        measurements=[_measurement(story, probe) for probe in pictured_in_order(story)],
        faults=list(_faults(story)),
        proofs=list(_steps(story)),
        timeline=[(moment.time, moment.offset, moment.what, moment.text, moment.who) for moment in scenario_timeline(story)],
        surprises=surprises(story),
        predictions=[*predicted.rows(story)],
        surprise=predicted.biggest(story),
        notes=notes(story.events),
        cards=list(_cards(story)),
    )


def picture_files(story: Story) -> dict[str, str]:
    """The file of each probe's picture; a probe without any sample has none."""
    return {probe: f"scenario-{story.index + 1}-{probe}.svg" for probe in pictured_in_order(story)}


def pictured_in_order(story: Story) -> list[str]:
    sampled = {sample.probe for sample in story.samples}
    return [probe for probe in story.record.plan.playbook.probes if probe in sampled]


def _facts(story: Story) -> Iterator[str]:
    """One line on when and how."""
    zone = story.record.plan.zone
    yield f"Outcome: {story.outcome}"
    stood_down = story.record.last(EventKind.SCENARIO_STOOD_DOWN, scenario=story.index)
    if stood_down and stood_down.text("reason"):
        yield stood_down.text("reason")
    yield f"injected at {local_time(story.injected, zone)}" if story.injected else f"began at {local_time(story.began, zone)}, nothing was injected"
    if story.injected and story.record.plan.playbook.steady_state:
        bill = story.bill
        yield outside_steady_state(bill)
    revealed = story.record.first(EventKind.REVEALED, scenario=story.index)
    if story.scenario.sealed:
        yield f"sealed until {local_time(revealed.at, zone)}" if revealed else "sealed until the end of the day"


def _clock(story: Story, which: Clock) -> Row:
    """One clock: after what time it stopped, when, by what, and the samples that show it."""
    reading = story.clocks[which]
    names = {Clock.DETECT: "detect", Clock.MITIGATE: "mitigate", Clock.RECOVER: "recover"}
    if reading.at is None or reading.after is None:
        why = f"not needed: {reading.how}" if not reading.needed else "did not stop" if reading.known else reading.how
        return names[which], "–", "–", why, "–"
    at = f"{local_time(reading.at, story.record.plan.zone)} ({offset(reading.at, story.injected)})"
    return names[which], spoken(reading.after), at, reading.how, _evidence(story, reading)


def _expectations(story: Story) -> Iterator[Row]:
    """As judged on the day; where the record as it is now would be judged in another way, that too."""
    now = {each.expectation: each for each in judge(story.record, story.index)}
    for each in story.judgements:
        later = now.get(each.expectation)
        changed = f"; by the record as it is now {later.word}: {later.seen}" if later and later.word != each.word else ""
        yield each.expectation, f"{SIGNS[each.word]} {each.word}", each.seen + changed


def _evidence(story: Story, reading: Reading) -> str:
    by_probe: dict[str, list[Sample]] = {}
    for sample in reading.proof:
        by_probe.setdefault(sample.probe, []).append(sample)
    if not by_probe:
        return "the event itself"
    zone = story.record.plan.zone
    when = f"{local_time(reading.proof[0].at, zone)} to {local_time(reading.proof[-1].at, zone)}: "
    return when + "; ".join(f"{probe} {_values(story, probe, samples)}" for probe, samples in by_probe.items())


def _values(story: Story, probe: str, samples: list[Sample]) -> str:
    few = ", ".join(shown(story, probe, sample.value) for sample in samples[:_SHOWN_SAMPLES])
    return few if len(samples) <= _SHOWN_SAMPLES else f"{few} … ({len(samples)} samples)"


def _measurement(story: Story, probe: str) -> Row:
    found = measures(story, probe)
    unknown = [f"{each.unknown} of {each.samples}" if (each := found.get(period)) and each.samples else "–" for period in PERIODS]
    return probe, *(_cell(story, found.get(period)) for period in PERIODS), ", ".join(unknown)


def _cell(story: Story, measure: Measure | None) -> str:
    if measure is None or not measure.samples:
        return "–"
    if measure.increase is not None:
        return f"{measure.increase:,.0f} more"
    return f"{shown(story, measure.probe, measure.median)} · {shown(story, measure.probe, measure.worst)}"


def _faults(story: Story) -> Iterator[Row]:
    zone = story.record.plan.zone
    for proof in proofs(story.record, story.index):
        fault = proof.fault
        since = f"{local_time(fault.active_at, zone)} ({offset(fault.active_at, story.injected)})" if fault.active_at else "–"
        took = f" in {milliseconds(proof.reverted_ms)}" if proof.reverted_ms is not None else ""
        how = f"{'✔' if proof.clean else '✘'} {proof.outcome}{took}"
        told = "; ".join(part for part in (proof.reason, proof.seen, *proof.problems) if part)
        yield f"{fault.name} ({fault.kind})" if fault.kind else fault.name, fault.label or "–", since, on_for(fault), how, told or "–"


def _steps(story: Story) -> Iterator[Row]:
    for proof in proofs(story.record, story.index):
        for step in proof.steps:
            yield proof.fault.name, step.step, step.before, step.after, said_of(step.state)


def notes(events: tuple[Event, ...]) -> Notes:
    """People's notes that are more than something seen; those are on the timeline."""
    mine = [event for event in events if event.kind is EventKind.NOTE]

    def about(what: NoteAbout) -> list[str]:
        return [_with_author(event) for event in mine if event.text("about") == what]

    actions = [event for event in mine if event.text("about") == NoteAbout.ACTION]
    return Notes(
        went_well=about(NoteAbout.WENT_WELL),
        went_wrong=about(NoteAbout.WENT_WRONG),
        lucky=about(NoteAbout.LUCKY),
        actions=[(event.text("text"), event.text("owner") or "nobody yet", event.text("due") or "no date") for event in actions],
    )


def _with_author(event: Event) -> str:
    return f"{event.text('text')} ({event.actor})" if event.actor else event.text("text")


def _cards(story: Story) -> Iterator[Row]:
    """Every card of the scenario, and when it was shown."""
    played = {event.text("say"): event for event in story.record.of(EventKind.CARD, scenario=story.index)}
    for card in story.scenario.cards:
        event = played.get(card.say)
        when = offset(event.at, story.injected) or local_time(event.at, story.record.plan.zone) if event else "not shown"
        yield card.say, f"+{clock(card.at)}", when


def by_hand(story: Story) -> list[tuple[str, list[str], list[str]]]:
    """For each fault not proven gone: what it is, what is wrong with it, and what people do about it, in order."""
    found = []
    for proof in proofs(story.record, story.index):
        if not proof.clean and (proof.fault.active_at or proof.fault.armed_at):
            what = f"{proof.fault.name}{at(proof.fault.label or 'an unknown target')}: {proof.outcome}"
            found.append((what, list(proof.problems), list(proof.by_hand or story.scenario.rollback_plan)))
    return found
