"""The run as a reader of its report may see it."""

from __future__ import annotations

from gameday.record import RunRecord
from gameday.viewer import hidden, veil
from reports.story import Day


def seen(record: RunRecord, sealed_open: bool) -> Day:
    """The run as a reader sees it who may, or may not, look into sealed scenarios before their reveal."""
    return Day(record) if sealed_open else Day(veil(record), hidden(record))
