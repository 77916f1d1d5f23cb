"""The report for machines: the same facts, as numbers."""

from __future__ import annotations

import json
from typing import Any

from gameday.record import RunRecord
from reports.summary import summary


def read(record: RunRecord) -> Any:
    """The summary after a journey through JSON."""
    return json.loads(json.dumps(summary(record), allow_nan=False))


def test_the_run_in_short(day: RunRecord) -> None:
    found = read(day)
    assert found["run_id"] == "7kq2-checkout-day-june"
    assert (found["outcome"], found["clean"], found["missing"]) == ("aborted", True, [])
    assert (found["started_at"], found["ended_at"]) == ("2026-06-18T12:28:00+00:00", "2026-06-18T12:40:30+00:00")
    assert [scenario["outcome"] for scenario in found["scenarios"]] == ["failed", "aborted"]


def test_who_was_there_what_they_said_and_what_happened(day: RunRecord) -> None:
    found = read(day)
    assert {"role": "commander", "name": "Ada"} in found["people"] and found["started_by"] and found["versions"]
    assert [item["item"] for item in found["checklist"]] == [each.item for each in day.plan.playbook.checklist]
    assert all(note["by"] and note["text"] for note in found["notes"]) and found["notes"]
    inject = next(line for line in found["scenarios"][0]["timeline"] if line["what"] == "inject")
    assert inject["at"] == found["scenarios"][0]["injected_at"] and inject["who"] == "gameday"


def test_clocks_are_in_seconds(day: RunRecord) -> None:
    clocks = read(day)["scenarios"][0]["clocks"]
    assert clocks["detect"] == {"seconds": 23.0, "at": "2026-06-18T12:30:28+00:00", "how": "alert LedgerDown", "needed": True, "known": True}
    assert clocks["mitigate"]["seconds"] == 72.0
    assert clocks["recover"]["seconds"] == 0.959
    assert read(day)["scenarios"][1]["clocks"]["mitigate"]["seconds"] is None


def test_the_bill_and_the_measurements_are_in_base_units(day: RunRecord) -> None:
    first = read(day)["scenarios"][0]
    assert first["bill"] == {"outside_steady_state_seconds": 72.0, "unknown_samples": 0, "totals": {"failed_requests": 41.0}}
    assert first["measurements"]["errors"]["during"] == {"samples": 77, "unknown": 0, "median": 0.004, "worst": 0.0062, "increase": None}
    assert first["measurements"]["failed_requests"]["during"]["increase"] == 41.0
    assert first["measurements"]["latency_p99"]["during"]["unknown"] == 3


def test_each_expectation_has_word_and_evidence(day: RunRecord) -> None:
    words = [[each["word"] for each in scenario["expectations"]] for scenario in read(day)["scenarios"]]
    assert words == [["upheld", "refuted", "upheld", "upheld"], ["refuted", "not reached", "upheld"]]
    assert read(day)["scenarios"][0]["expectations"][1]["seen"] == "firing at +0:23"


def test_each_fault_has_outcome_and_proof(day: RunRecord) -> None:
    (fault,) = read(day)["scenarios"][0]["faults"]
    assert (fault["name"], fault["kind"], fault["target"]) == ("ledger-frozen", "process.pause", "local, ledger (pid 4312)")
    assert (fault["outcome"], fault["proven"], fault["injected_ms"], fault["reverted_ms"]) == ("reverted", True, 4.2, 41.0)
    assert fault["proof"] == [{"step": "process.signal", "before": "running", "after": "running", "state": "before"}]


def test_a_dirty_and_a_killed_run_are_not_clean(dirty: RunRecord, killed: RunRecord) -> None:
    assert (read(dirty)["outcome"], read(dirty)["clean"]) == ("dirty", False)
    assert read(dirty)["scenarios"][1]["faults"][0]["problems"] == ["envoy.runtime: still applied: 5s"]
    assert (read(killed)["outcome"], read(killed)["clean"], read(killed)["ended_at"]) == (None, False, None)
    assert read(killed)["scenarios"][1]["outcome"] == "not ended"
    assert len(read(killed)["missing"]) == 4
