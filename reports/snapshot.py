"""A picture of a scenario's main probes while it goes on: what a room is shown as a phase begins."""

from __future__ import annotations

from gameday.record import RunRecord
from reports.picture import picture
from reports.story import Day

MOST = 3
"""Probes in one picture: it is looked at on a telephone."""


def snapshot(record: RunRecord, scenario: int) -> bytes | None:
    """The picture as PNG; None where nothing has been measured yet."""
    from reports.charts import png  # matplotlib takes long to import: only who draws pays for it

    story = next((each for each in Day(record).stories if each.index == scenario), None)
    pictures = [shown for probe in main_probes(record) if story and (shown := picture(story, probe))]
    return png(pictures) if pictures else None


def main_probes(record: RunRecord) -> tuple[str, ...]:
    """What the steady state and the guardrails are about; where they are about nothing, the first ones."""
    playbook = record.plan.playbook
    named = [each.probe for each in playbook.steady_state] + [each.probe for each in playbook.abort_when if each.probe]
    return tuple(dict.fromkeys([*named, *playbook.probes]))[:MOST]
