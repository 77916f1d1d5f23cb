"""The appendix of a postmortem: what each number means and where it comes from, and on what the day ran."""

from __future__ import annotations

from gameday.event import EventKind
from gameday.record import RunRecord
from gameday.units import format_duration
from gameday.verdicts import UNKNOWN_SHARE
from reports.words import counted, local_time

Row = tuple[str, ...]


def definitions(record: RunRecord) -> list[Row]:
    """The meaning of every number of the report, with the settings of this playbook."""
    sampling = record.plan.playbook.sampling
    row = sampling.steady_samples
    return [
        (
            "sample",
            f"every probe, read every {format_duration(sampling.every)}; unknown when there is no answer in {format_duration(sampling.timeout)}",
        ),
        ("baseline", "the median of the known samples of pre-check"),
        ("offset (+0:00)", "counted from the moment when the first fault of the scenario was active and read back"),
        ("detect", "from inject to the first alert that the playbook names, page acknowledged, or mark by a person"),
        ("mitigate", f"from inject to the first of {row} good samples in a row, after steady state broke and with the fault still on"),
        ("recover", f"from the verified revert (momentary faults: from inject) to the first of {row} good samples in a row"),
        (
            "outside steady state",
            "from each bad sample to the next one, from inject to the end of recover; unknown samples are counted by themselves",
        ),
        ("more of a counter", "its increase over its resets, from inject to the end of recover; a cap counts from the opening of the day"),
        ("before, during, after", "pre-check to inject; inject to the verified revert; from there to the end of recover"),
        ("worst", "the largest known sample; the smallest where a tolerance demands much; the furthest from the baseline where none speaks of it"),
        ("upheld, for a tolerance", f"no bad sample from inject to the end of observe, and at most {UNKNOWN_SHARE:.0%} unknown".replace("%", " %")),
        ("hypothesis upheld in n of m points", "expectations upheld, of those that were needed"),
        ("reverted in", "the injector's own time, from the order to the proof"),
        ("as before", "the target was read again after the revert, and looks as it did before the fault"),
    ]


def versions(record: RunRecord) -> dict[str, str]:
    """Of what started the run, and of what conducted it and worked on its hosts when targets were found last."""
    found = {**record.plan.versions}
    for event in record.of(EventKind.TARGETS_FOUND):
        parts = event.data.get("versions")
        found |= {str(each["part"]): str(each["version"]) for each in parts if isinstance(each, dict)} if isinstance(parts, list) else {}
    return found


def clock_offsets(record: RunRecord) -> list[Row]:
    """How far each host's clock was off, as last measured."""
    measured = {event.text("host"): f"{event.text('offset_ms')} ms" for event in record.of(EventKind.CLOCK_OFFSET)}
    return sorted(measured.items())


def observer_gaps(record: RunRecord) -> list[Row]:
    """When nothing was measured: recorded when, for how long, and why."""
    gaps = record.of(EventKind.OBSERVER_GAP)
    lasted = {event.id: f"{event.text('seconds')} s" if event.text("seconds") else "not known" for event in record.of(EventKind.OBSERVER_GAP)}
    return [(local_time(event.at, record.plan.zone), lasted[event.id], event.text("reason")) for event in gaps]


def counts(record: RunRecord) -> str:
    """How much the record holds."""
    started = record.first(EventKind.RUN_STARTED)
    digest = f"; playbook {started.text('digest')}" if started and started.text("digest") else ""
    return f"Run {record.run_id}: {counted(len(record.events), 'event')}, {counted(len(record.samples), 'sample')}{digest}"
