"""The postmortem says what happened, with the numbers of the record; expected values are written down here."""

from __future__ import annotations

import copy
import dataclasses
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import JsonValue

from gameday.event import Event, EventKind
from gameday.playbook import Playbook
from gameday.record import RunRecord
from reports.postmortem import render, write
from tests.reports.conftest import part, rows

FIRST = datetime(2026, 6, 18, 12, 30, 5, tzinfo=UTC)


def test_the_head_tells_a_manager_what_happened(day: RunRecord) -> None:
    page = render(day)
    assert page.startswith("# Checkout day june: aborted\n\n*Can checkout live without its ledger, and do we notice?*\n\n> ")
    assert [line for line in page.split("\n") if line.startswith("> ")] == [
        "> 2 scenarios ran in staging with 2 faults (process.pause on local, ledger (pid 4312) and envoy.delay on local, edge);"
        " 4 of 7 expectations upheld, 2 refuted and 1 not reached.",
        "> Customers were outside steady state for 1 min 24 s, with 101 more failed requests.",
        "> In scenario 1 detected after 23 s (alert LedgerDown, expected within 10 s);"
        " in scenario 2 detected after 5 s (marked by Margaret, expected within 1 min).",
        "> A guardrail stopped the day at +0:06 in scenario 2: errors > 5 % in 3 of 5 samples: 8 %; both faults are proven gone.",
    ]


def test_the_facts_say_when_who_at_what_cost_and_how_it_is_proven(day: RunRecord) -> None:
    found = rows(render(day))
    assert ["When", "18 June 2026, 14:28 to 14:40 (Europe/Berlin), staging"] in found
    who = "commander Ada · safety Grace · responders Linus and Margaret · observers Edsger · played absent: Barbara · started by Ada"
    assert ["Who", who] in found
    assert ["Customers", "101 more failed requests; 1 min 24 s outside steady state; 20 % of the day's cap of 500 failed requests"] in found
    assert ["Proof", "2 faults: 2 reverted in 230 ms or less, read back as before; chain of 43 events verified"] in found


def test_each_expectation_has_its_verdict_and_what_was_seen(day: RunRecord) -> None:
    first = part(render(day), "## 1. The ledger freezes: hypothesis upheld in 3 of 4 points")
    assert "*Checkout keeps selling, and the on-call notices within a minute*" in first
    assert "Outcome: failed · injected at 14:30:05 · 1 min 12 s outside steady state" in first
    assert rows(first)[2:6] == [
        ["errors < 1 %", "✔ upheld", "worst sample 0.62 % at +0:09; 77 samples"],
        ["alert LedgerDown within 10s", "✘ refuted", "firing at +0:23"],
        ["mitigated within 5m", "✔ upheld", "after 1 min 12 s: steady for 5 samples, the fault still on"],
        ["recovered within 30s", "✔ upheld", "after 959 ms: steady for 5 samples, the fault gone"],
    ]


def test_each_clock_is_proven_by_its_samples(day: RunRecord) -> None:
    found = rows(part(render(day), "## 1. The ledger freezes"))
    values = "errors 0.03 %, 0.03 %, 0.03 %, 0.03 %, 0.03 %; latency_p99 41 ms, 41 ms, 41 ms, 41 ms, 41 ms"
    steady = "steady for 5 samples, the fault still on"
    assert ["detect", "23 s", "14:30:28 (+0:23)", "alert LedgerDown", "the event itself"] in found
    assert ["mitigate", "1 min 12 s", "14:31:17 (+1:12)", steady, f"14:31:17 to 14:31:21: {values}"] in found
    assert ["mitigate", "–", "–", "did not stop", "–"] in rows(part(render(day), "## 2. The ledger is slow"))


def test_measurements_stand_before_during_and_after(day: RunRecord) -> None:
    found = rows(part(render(day), "## 1. The ledger freezes"))
    assert ["errors", "0.01 % · 0.01 %", "0.4 % · 0.62 %", "0.02 % · 0.02 %", "0 of 58, 0 of 77, 0 of 17"] in found
    assert ["latency_p99", "40 ms · 42 ms", "112 ms · 112 ms", "39 ms · 39 ms", "0 of 58, 3 of 77, 0 of 17"] in found
    assert ["failed_requests", "0 more", "41 more", "0 more", "0 of 58, 0 of 77, 0 of 17"] in found


def test_each_fault_shows_the_proof_of_its_revert(day: RunRecord) -> None:
    found = rows(render(day))
    on = ["ledger-frozen (process.pause)", "local, ledger (pid 4312)", "14:30:05 (+0:00)", "1 min 17 s"]
    assert [*on, "✔ reverted in 41 ms", "mitigated; read back as before"] in found
    assert ["ledger-frozen", "process.signal", "running", "running", "as before"] in found
    assert ["ledger-slow", "envoy.runtime", "fault.http.delay: absent", "fault.http.delay: absent", "as before"] in found


def test_the_timeline_merges_machines_and_people(day: RunRecord) -> None:
    found = rows(part(part(render(day), "## 1. The ledger freezes"), "### Timeline"))
    offsets = [row[1] for row in found[2:]]
    assert offsets[0] == "-1:05" and offsets[-1] == "+2:00"
    assert ["14:30:28", "+0:23", "alert", "LedgerDown is firing: detected", "gameday"] in found
    assert ["14:30:40", "+0:35", "note", "“ledger does not answer, failing over to the stand-by”", "Linus"] in found
    assert ["14:31:17", "+1:12", "mitigated", "steady for 5 samples, the fault still on", "computed"] in found
    assert ["14:30:03", "-0:02", "baseline", "errors 0.01 % and latency_p99 40 ms", "gameday"] in found


def test_surprises_are_computed_and_questions_are_answered(day: RunRecord) -> None:
    first = part(part(render(day), "## 1. The ledger freezes"), "### What surprised us")
    assert "- “alert LedgerDown within 10s” was refuted: firing at +0:23\n" in first
    assert "- The alert DiskFull fired at +0:50, and nobody had expected it\n" in first
    assert rows(first)[2:5] == [
        ["first alert after", "nobody", "–", "23 s (LedgerDown)", "–"],
        ["worst errors", "nobody", "–", "0.62 % at +0:09", "–"],
        ["who is paged", "nobody", "–", "not measured: for the debrief", "–"],
    ]
    second = part(part(render(day), "## 2. The ledger is slow"), "### What surprised us")
    assert "- A person noticed before the alerts: marked by Margaret at +0:05; no alert did\n" in second
    assert "The alert LedgerSlow was expected on this day, and never fired." in part(render(day), "## The day around the scenarios")


def test_what_people_noted_stands_where_it_belongs(day: RunRecord) -> None:
    first = part(render(day), "## 1. The ledger freezes")
    assert part(first, "### Went well").strip() == "- The stand-by took over by itself (Grace)"
    assert part(first, "### Went wrong").strip() == "- The alert came late (Edsger)"
    assert part(first, "### Where we were lucky").strip() == "- It was not month's end (Edsger)"
    assert rows(part(first, "### Action items"))[2:] == [["Alert on the first timeout", "Linus", "30 June"]]
    assert rows(part(first, "### Cards"))[2:] == [
        ["Support: a customer was charged twice", "+0:40", "+0:40"],
        ["The press calls", "+4:00", "not shown"],
    ]
    assert "Nobody noted what went well, what went wrong, or what is to be done." in part(render(day), "## 2. The ledger is slow")


def test_what_is_said_in_the_debrief_belongs_to_its_scenario(day: RunRecord) -> None:
    """The scenario is over by then, and no other has begun."""
    data: dict[str, JsonValue] = {"text": "We talked too much", "about": "went-wrong"}
    note = Event(id="x", run_id=day.run_id, at=FIRST + timedelta(minutes=4), kind=EventKind.NOTE, actor="Ada", data=data)
    first = part(render(replace(day, events=(*day.events, note))), "## 1. The ledger freezes")
    assert part(first, "### Went wrong").strip().split("\n") == ["- The alert came late (Edsger)", "- We talked too much (Ada)"]


def test_an_event_that_cannot_be_read_does_not_cost_the_report(day: RunRecord) -> None:
    odd = Event(id="x", run_id=day.run_id, at=FIRST, kind=EventKind.EXTENDED, scenario=0, data={"by": "a while"})
    page = render(replace(day, events=(*day.events, odd)))
    assert ["14:30:05", "+0:00", "extended", "(recorded in a form that cannot be read)", "gameday"] in rows(page)


def test_the_appendix_says_where_numbers_come_from_and_what_was_run(day: RunRecord) -> None:
    appendix = part(render(day), "## Appendix")
    assert ["temporal", "1.32.0"] in rows(appendix)
    assert ["local", "1.5 ms"] in rows(appendix)
    assert "Run 7kq2-checkout-day-june: 43 events, 621 samples; playbook sha256:1234" in appendix
    assert appendix.endswith(f"\n### The playbook as it was run\n\n````yaml\n{day.plan.text}````\n")


def test_a_run_killed_half_way_says_what_is_missing(killed: RunRecord) -> None:
    page = render(killed)
    assert page.startswith("# Checkout day june: not ended\n")
    assert part(page, "## What is missing").strip().split("\n")[2:] == [
        "- samples of 3 s: the observer was killed",
        "- The end of the run: it is still going, or it was stopped from outside; the last thing recorded was at 14:40:06",
        "- The end of scenario 2: it was in recover when the record stops",
        "- The end of ledger-slow on local, edge: the record does not say that it is gone",
    ]
    assert "NOT PROVEN CLEAN: ledger-slow on local, edge" in page
    assert "**ledger-slow on local, edge: without an end in the record**" in part(page, "## Not proven clean")


def test_a_run_may_be_killed_after_any_event(day: RunRecord) -> None:
    for number, event in enumerate(day.events):
        page = render(replace(day, events=day.events[:number], samples=tuple(sample for sample in day.samples if sample.at <= event.at)))
        assert "The end of the run: it is still going, or it was stopped from outside" in page


def test_a_complete_record_lacks_nothing(day: RunRecord) -> None:
    assert "What is missing" not in render(day)
    assert "Not proven clean" not in render(day)


def test_a_dirty_run_begins_with_what_to_do_by_hand(dirty: RunRecord) -> None:
    page = render(dirty)
    assert page.startswith("# Checkout day june: dirty\n")
    by_hand = part(page, "## Not proven clean")
    assert "**ledger-slow on local, edge: dirty**" in by_hand
    assert "- envoy.runtime: still applied: 5s\n" in by_hand
    assert "1. Restart the edge proxy" in by_hand
    assert page.index("## Not proven clean") < page.index("## 1. ")
    assert ["Proof", "2 faults: 1 reverted in 41 ms, read back as before; 1 dirty; chain of 42 events verified"] in rows(page)


def test_what_was_proven_gone_late_had_been_dirty_and_no_verdict_is_taken_back(make_day: Any) -> None:
    diary = make_day(None)
    dirty = datetime(2026, 6, 18, 12, 40, 36, tzinfo=UTC)
    told = [{"expectation": "recovered within 30s", "word": "not reached", "seen": "the fault is not proven gone"}]
    diary.event(EventKind.FAULT_DIRTY, dirty, 1, fault="ledger-slow", label="local, edge", problems=["it does not answer"])
    diary.event(EventKind.VERDICTS, dirty + timedelta(seconds=1), 1, judgements=told)
    diary.event(EventKind.SCENARIO_ENDED, dirty + timedelta(seconds=1), 1, outcome="dirty")
    diary.event(EventKind.RUN_ENDED, dirty + timedelta(seconds=2), outcome="dirty", exit_code=6)
    diary.event(
        EventKind.FAULT_ENDED, dirty + timedelta(minutes=10), 1, fault="ledger-slow", label="local, edge", outcome="reverted", took_ms=41, proof=[]
    )
    page = render(diary.record())
    assert page.startswith("# Checkout day june: dirty\n") and "## Not proven clean" not in page
    assert "ledger-slow on local, edge only 10 min after it was found dirty" in page
    assert "not proven clean at first, proven gone 10 min later" in page
    assert ["recovered within 30s", "– not reached", "the fault is not proven gone"] in rows(page)


def test_a_fault_that_was_never_put_on_is_nothing_to_clean_up(make_day: Any) -> None:
    diary = make_day(None)
    at = datetime(2026, 6, 18, 12, 40, 36, tzinfo=UTC)
    diary.event(EventKind.FAULT_ENDED, at, 1, fault="ledger-slow", label="local, edge", outcome="reverted", took_ms=41, proof=[])
    diary.event(EventKind.FAULT_FAILED, at, 1, fault="late", label="local, edge", reason="it is later than latest_inject")
    diary.event(EventKind.SCENARIO_ENDED, at, 1, outcome="error")
    diary.event(EventKind.RUN_ENDED, at, outcome="error", exit_code=5)
    page = render(diary.record())
    assert "NOT PROVEN CLEAN" not in page and "both faults are proven gone" in page
    assert "✔ not put on" in page


def test_a_day_that_nobody_could_see_is_not_told_as_one_that_nobody_felt(make_day: Any) -> None:
    diary = make_day(None)
    record = diary.record()
    blind = tuple(sample.model_copy(update={"value": None, "unknown": "no answer in 1 s"}) for sample in record.samples)
    page = render(replace(record, samples=blind))
    assert "Whether customers felt anything is not known" in page and "felt nothing" not in page
    assert "never outside steady state" not in page


def only(record: RunRecord, *kinds: EventKind) -> RunRecord:
    return replace(record, events=tuple(event for event in record.events if event.kind in kinds))


def test_faults_alone_are_enough_for_a_report(day: RunRecord) -> None:
    """The hosts record their faults themselves: a conductor that recorded nothing hides none of them."""
    page = render(only(day, EventKind.FAULT_ARMED, EventKind.FAULT_ACTIVE))
    assert "NOT PROVEN CLEAN: ledger-frozen on local, ledger (pid 4312) and ledger-slow on local, edge" in page
    assert "- The beginning of the run: no event says that it started" in page
    assert "- The beginning of scenario 1: only its later events are there" in page


def test_an_empty_record_has_a_report(day: RunRecord) -> None:
    page = render(replace(day, events=(), samples=(), chain=""))
    assert "> Nothing was injected.\n> The record has no end of the day; there was nothing to clean up.\n" in page
    assert "\n## 1. The ledger freezes: not begun\n" in page
    assert ["Proof", "nothing was injected; record not verified"] in rows(page)


def test_a_day_that_stood_down_says_why(day: RunRecord) -> None:
    kept = only(day, EventKind.RUN_STARTED, EventKind.RUN_ENDED).events
    stood_down = Event(
        id="x", run_id=day.run_id, at=FIRST, kind=EventKind.SCENARIO_STOOD_DOWN, scenario=0, data={"reason": "errors < 0.1 % did not hold"}
    )
    page = render(replace(day, events=(kept[0], stood_down, kept[1]), samples=()))
    assert "> Nothing was injected: errors < 0.1 % did not hold.\n" in page
    assert "\n## 1. The ledger freezes: stood-down\n" in page


def test_an_error_of_the_run_is_a_fact(day: RunRecord) -> None:
    error = Event(id="x", run_id=day.run_id, at=FIRST, kind=EventKind.RUN_ERROR, data={"what": "the store did not answer"})
    assert ["Error", "the store did not answer"] in rows(render(replace(day, events=(*day.events, error))))


HOSTILE = (
    "a | b\n# c\n- d <img src=x onerror=alert(1)> ![i](http://e/i.png)",
    "``` </td></tr></table> &lt; [x](y) **b** _e_ ~~s~~ \\",
    "1. https://evil.example\n\n> q\n===\n---\n| x |\n",
    "{{ 7 * 7 }} {% for x in [1] %} {# y #} ${7*7} <%= 7*7 %> #{7*7}",
    "```mermaid graph TD; A-->B; click A href 'javascript:alert(1)' ``` $$x$$ <svg onload=alert(1)>",
)


def with_words(record: RunRecord, words: str) -> RunRecord:
    """The record with these words wherever a person, an alert, a probe or a host may have put any."""
    line = " ".join(words.split())

    def spoken(value: JsonValue, key: str = "") -> JsonValue:
        if isinstance(value, dict):
            return {name: spoken(each, name) for name, each in value.items()}
        if isinstance(value, list):
            return [spoken(each, key) for each in value]
        if isinstance(value, str) and key not in {"kind", "outcome", "about", "clock", "phase", "state", "by", "name", "probe"}:
            return f"{line if key == 'step' else words} {value}"
        return value

    events = tuple(e.model_copy(update={"data": spoken(e.data), "actor": f"{line} {e.actor}" if e.actor else None}) for e in record.events)
    playbook = copy.deepcopy(record.plan.playbook.model_dump(mode="json", by_alias=True, exclude_none=True))
    playbook["objective"] = line
    for scenario in playbook["scenarios"]:
        scenario |= {"title": line, "hypothesis": line, "rollback_plan": [line], "predict": [line], "cards": [{"at": "1s", "say": words}]}
    for person in (playbook["team"]["commander"], *playbook["team"]["responders"], *playbook["team"]["away"]):
        person["name"] = line
    plan = record.plan.model_copy(update={"playbook": Playbook.model_validate(playbook), "versions": {line: line}})
    return replace(record, plan=plan, events=events, chain=words, missing=(words,))


@pytest.mark.parametrize("words", HOSTILE)
@pytest.mark.parametrize("kind", ["day", "killed", "dirty"])
def test_what_people_write_cannot_change_the_document(request: pytest.FixtureRequest, read: Callable[[str], Any], kind: str, words: str) -> None:
    record: RunRecord = request.getfixturevalue(kind)
    hostile, harmless = read(render(with_words(record, words))), read(render(with_words(record, "harmless")))
    assert hostile.tags == harmless.tags
    assert hostile.text.split() == harmless.text.replace("harmless", " ".join(words.split())).split()


def test_nothing_is_escaped_as_html(day: RunRecord) -> None:
    assert not re.search(r"&(gt|lt|amp|#\d+);", render(day))


def test_writing_twice_gives_the_same_files(day: RunRecord, tmp_path: Path) -> None:
    document = write(day, tmp_path / "report")
    before = {path.name: path.read_bytes() for path in document.parent.iterdir()}
    assert document == tmp_path / "report" / "postmortem.md"
    assert sorted(before) == ["postmortem.md"] + [
        f"scenario-{n}-{probe}.svg" for n in (1, 2) for probe in ("errors", "failed_requests", "latency_p99")
    ]
    write(day, tmp_path / "report")
    assert {path.name: path.read_bytes() for path in document.parent.iterdir()} == before


def test_every_picture_is_shown_and_has_words(day: RunRecord, tmp_path: Path) -> None:
    page = write(day, tmp_path).read_text(encoding="utf-8")
    pictures = {file: words for words, file in re.findall(r"!\[(.+)\]\((.+)\)", page)}
    assert set(pictures) == {path.name for path in tmp_path.glob("*.svg")}
    assert pictures["scenario-1-errors.svg"] == (
        "errors over scenario 1: baseline 0.01 %, worst 0.62 % at +0:09, 0 of 152 samples unknown, detected +0:23, mitigated +1:12, recovered +1:18"
    )


def test_a_report_is_replaced_whole_and_without_what_it_no_longer_shows(day: RunRecord, tmp_path: Path) -> None:
    write(day, tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    write(replace(day, samples=()), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["notes.txt", "postmortem.md"]
    assert "The record has no sample of errors in this scenario." in (tmp_path / "postmortem.md").read_text(encoding="utf-8")


def test_a_failed_write_leaves_the_old_report(day: RunRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = write(day, tmp_path)
    old = document.read_bytes()

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="No space left"):
        write(replace(day, events=day.events[:5]), tmp_path)
    assert document.read_bytes() == old
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".tmp")]


def test_matplotlib_is_imported_only_to_draw() -> None:
    code = "import sys, reports.postmortem, reports.junit, reports.summary; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, check=False, timeout=60).returncode == 0


def test_times_are_those_of_the_zone_of_the_run(day: RunRecord) -> None:
    playbook = day.plan.playbook.model_copy(update={"times": day.plan.playbook.times.model_copy(update={"zone": "Asia/Kolkata"})})
    page = render(replace(day, plan=day.plan.model_copy(update={"playbook": playbook, "started_at": day.plan.started_at + timedelta(hours=-13)})))
    assert ["When", "18 June 2026, 04:58 to 18:10 (Asia/Kolkata), staging"] in rows(page)
    assert ["18:00:28", "+0:23", "alert", "LedgerDown is firing: detected", "gameday"] in rows(page)


def test_what_nobody_watched_is_not_told_as_well(day: RunRecord) -> None:
    """Every sample is lost: whether customers felt anything is not known, nor whether there was anything to mitigate."""
    unwatched = dataclasses.replace(day, samples=())
    text = render(unwatched)
    assert "Whether customers felt anything is not known: no sample was taken" in text
    assert "felt nothing" not in text and "never outside steady state" not in text and "never broke" not in text
    first = rows(part(text, "## 1. The ledger freezes"))
    assert ["mitigate", "–", "–", "not known: no sample was taken while the fault was on", "–"] in first
    assert ["recover", "–", "–", "not known: no sample was taken while the fault was on", "–"] in first
