"""JUnit: a suite for each scenario, a case for each expectation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

from gameday.event import Event, EventKind
from gameday.record import RunRecord
from reports.junit import junit


def cases(record: RunRecord) -> dict[str, dict[str, tuple[str, str]]]:
    """For each suite its cases: the tag and the words below each."""
    root = ET.fromstring(junit(record))
    return {
        suite.attrib["name"]: {case.attrib["name"]: (case[0].tag, case[0].get("message") or case[0].text or "") for case in suite} for suite in root
    }


def test_each_expectation_is_a_case_with_its_verdict(day: RunRecord) -> None:
    assert cases(day) == {
        "1. The ledger freezes": {
            "errors < 1 %": ("system-out", "upheld: worst sample 0.62 % at +0:09; 77 samples"),
            "alert LedgerDown within 10s": ("failure", "refuted: firing at +0:23"),
            "mitigated within 5m": ("system-out", "upheld: after 1 min 12 s: steady for 5 samples, the fault still on"),
            "recovered within 30s": ("system-out", "upheld: after 959 ms: steady for 5 samples, the fault gone"),
        },
        "2. The ledger is slow": {
            "errors < 1 %": ("failure", "refuted: worst sample 8 % at +0:04; 7 samples"),
            "alert LedgerSlow within 60s": ("skipped", "not reached: it never fired; the run was aborted 53.9 s before its time was up"),
            "recovered within 30s": ("system-out", "upheld: after 5.6 s: steady for 5 samples, the fault gone"),
            "it is played to its end": ("error", "aborted: errors > 5 % in 3 of 5 samples: 8 %"),
        },
    }


def test_the_numbers_add_up(day: RunRecord) -> None:
    root = ET.fromstring(junit(day))
    assert {key: root.attrib[key] for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "8",
        "failures": "2",
        "errors": "1",
        "skipped": "1",
    }
    assert root[0].attrib["time"] == "185.000"
    assert root[0].attrib["timestamp"] == "2026-06-18T12:29:00+00:00"


def test_a_dirty_fault_is_an_error(dirty: RunRecord) -> None:
    found = cases(dirty)["2. The ledger is slow"]["nothing is left behind, and nothing broke"]
    assert found == ("error", "ledger-slow on local, edge: dirty (envoy.runtime: still applied: 5s)")


def test_a_fault_without_an_end_is_an_error(killed: RunRecord) -> None:
    found = cases(killed)["2. The ledger is slow"]["nothing is left behind, and nothing broke"]
    assert found == ("error", "ledger-slow on local, edge: without an end in the record")


def test_an_error_of_the_run_is_an_error(day: RunRecord) -> None:
    error = Event(id="x", run_id=day.run_id, at=day.plan.started_at, kind=EventKind.RUN_ERROR, data={"what": "the store did not answer"})
    assert cases(replace(day, events=(*day.events, error)))["the run itself"] == {"the run itself": ("error", "the store did not answer")}


def test_a_scenario_that_never_began_is_skipped(day: RunRecord) -> None:
    record = replace(day, events=tuple(event for event in day.events if event.scenario != 1))
    assert set(cases(record)["2. The ledger is slow"].values()) == {("skipped", "not reached: nothing was injected")}


def test_any_text_makes_a_document_that_can_be_read(make_day: Callable[..., Any], day: RunRecord) -> None:
    playbook = day.plan.playbook
    scenario = playbook.scenarios[0].model_copy(update={"title": '<&"]]>\ufffe'})
    plan = day.plan.model_copy(update={"playbook": playbook.model_copy(update={"scenarios": (scenario, playbook.scenarios[1])})})
    error = Event(id="x", run_id=day.run_id, at=day.plan.started_at, kind=EventKind.RUN_ERROR, data={"what": "\x00\x1b[31m <b>"})
    found = cases(replace(day, plan=plan, events=(*day.events, error)))
    assert list(found) == ['1. <&"]]>\ufffd', "2. The ledger is slow", "the run itself"]
    assert found["the run itself"]["the run itself"] == ("error", "\ufffd\ufffd[31m <b>")
