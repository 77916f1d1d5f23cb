"""What the record lacks, so that nobody takes its silence for an answer."""

from __future__ import annotations

from collections.abc import Iterator

from gameday.by_hand import at
from gameday.event import EventKind
from reports.story import Day, Story
from reports.words import local_time


def missing(day: Day) -> list[str]:
    """Each gap in one sentence: what the store knows to be missing, and what can be told from the record itself."""
    deduced = [*_ends(day), *(line for story in day.stories for line in _scenario(story))]
    return [*day.record.missing, *deduced]


def _ends(day: Day) -> Iterator[str]:
    if day.record.first(EventKind.RUN_STARTED) is None:
        yield "The beginning of the run: no event says that it started"
    if day.record.ended is None:
        last = local_time(day.last_at, day.record.plan.zone)
        yield f"The end of the run: it is still going, or it was stopped from outside; the last thing recorded was at {last}"


def _scenario(story: Story) -> Iterator[str]:
    where = f"scenario {story.index + 1}"
    if story.record.first(EventKind.SCENARIO_BEGAN, scenario=story.index) is None:
        yield f"The beginning of {where}: only its later events are there"
    if story.ended is None:
        yield f"The end of {where}" + (f": it was in {story.phases[-1].name} when the record stops" if story.phases else "")
    for fault in story.faults:
        if fault.outcome is None and (fault.armed_at or fault.active_at):
            yield f"The end of {fault.name}{at(fault.label or 'its target')}: the record does not say that it is gone"
    if story.injected is None:
        return
    baselines = story.record.baselines(story.index)
    if not baselines:
        yield f"The baseline of {where}: what is relative to it could not be judged"
    for probe in story.record.plan.playbook.probes:
        if not any(sample.probe == probe for sample in story.samples):
            yield f"Any sample of {probe} in {where}"
        elif any(each.probe == probe and each.median is None for each in baselines):
            yield f"The baseline of {probe} in {where}: no sample of pre-check was known"
