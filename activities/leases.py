"""What the journal of this machine says of leases."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from activities.journal import Journal
from activities.steps.processes import boot_clock
from gameday.view import RunView


def leases(home: Path, view: RunView) -> Mapping[str, float]:
    """Seconds left of each lease, where the faults' journal is on this machine."""
    if not (home / "journal").is_dir():
        return {}
    journal = Journal.at(home)
    found = {fault: journal.find(fault) for fault, row in view.faults.items() if not row.outcome}
    return {fault: entry.deadline - boot_clock() for fault, entry in found.items() if entry is not None}
