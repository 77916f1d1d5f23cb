"""A sealed scenario with a canary in every field, through a real run: no responder can read it anywhere, and a blind abort works."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import pytest
from pydantic import BaseModel

from activities import kinds
from gameday import playbook
from gameday.cli.context import user
from gameday.event import EventKind
from gameday.language import Expectation, Prediction
from gameday.loading import loads
from gameday.playbook import Scenario
from tests.rigs.town import ROOT, Town, town

pytestmark = pytest.mark.timeout(120)
DAY = """
name: town-day
objective: What do they notice?
team:
  commander: {name: Ada, user: ada}
  responders: [{name: Rita, user: RESPONDER}]
sampling: {every: 200ms, timeout: 500ms, baseline: 400ms, baseline_samples: 1, steady_samples: 2}
alerts: {from: {prometheus: {url: 'http://127.0.0.1:1'}}}
probes:
  up: {tcp: {host: 127.0.0.1, port: PORT, measure: ok}}
gates: {inject: off}
scenarios:
  - title: canary of the hosts
    hypothesis: canary of what nobody minds
    planned: '00:00'
    sealed: true
    faults: [{name: canary-of-labels, inject: process.pause, on: {hosts: {canary-label: canary-value}, process: x, count: 1}}]
  - title: canary of the targets
    hypothesis: canary of what nobody minds
    sealed: true
    faults:
      - {name: canary-1, inject: process.pause, on: {host: local, process: canary-process}}
      - {name: canary-2, inject: process.kill, on: {host: local, unit: canary-unit}}
      - {name: canary-3, inject: http.fault, on: {host: local, envoy: canary-envoy}, with: {abort: 503}}
      - {name: canary-4, inject: postgres.lock_contention, on: {host: local, database: canary-database}, with: {table: canary}}
  - title: canary of the title
    hypothesis: canary of the hypothesis
    sealed: true
    observe: 61s
    faults:
      - {name: canary-frozen, inject: process.pause, on: {host: local, pid_file: PIDFILE}, for: LENGTH}
      - {name: canary-command, inject: command, with: {name: canary-flip, arguments: {canary_argument: canary-value}}, for: LENGTH}
      - {name: canary-failing, inject: command, with: {name: canary-failing}}
      - {name: canary-last, inject: command, with: {name: canary-never}, after: canary-frozen, at: 59s, until: detected}
    expect: ['alert CanaryAlert within 60s']
    predict: ['does the canary sing?']
    cards: [{at: 1s, say: 'Support: TOLD'}, {at: 59s, say: canary of a card to come}]
    rollback_plan: [canary of the plan]
    afterwards: {steady_for: 0s, recover_within: 1s, debrief: 0s, break: 0s}
"""
FLIP = '["sh", "-c", "{} canary-of-a-command $0", "HOME/canary-{{canary_argument}}"]'
SETTINGS = f"""
[commands.canary-flip]
do = {FLIP.format("touch $0; : ")}
undo = {FLIP.format("rm -f $0; : ")}
check = {FLIP.format("test -e $0 || exit 1; echo ")}
arguments = {{canary_argument = {{type = "name"}}}}
[commands.canary-failing]
do = ["sh", "-c", "echo canary of a failure; exit 3"]
undo = ["true"]
check = ["sh", "-c", "exit 1"]
[commands.canary-never]
do = ["true"]
undo = ["true"]
check = ["sh", "-c", "exit 1"]
"""
TELL_NOTHING = {"planned", "sealed", "inject", "at", "for", "until", "observe", "steady_for", "recover_within", "debrief", "break", "host", "count"}
"""Fields that hold no word of one's own: times, numbers, kinds, the host that everything is on."""


def words(value: Any, key: str = "") -> Iterator[tuple[str, str]]:
    """Every text within, with the field it is in; keys of mappings count too."""
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from words(getattr(value, name), field.alias or name)
    elif isinstance(value, dict):
        for name, each in value.items():
            yield from [(key, str(name)), *words(each, key)]
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from words(each, key)
    elif isinstance(value, (Expectation, Prediction)):
        yield key, str(value)
    elif isinstance(value, str):
        yield key, value


def parts(model: type[BaseModel]) -> set[type[BaseModel]]:
    """A model and all models that it is made of, of the playbook's own."""
    found = {model}
    for name in dir(playbook):
        each = getattr(playbook, name)
        if isinstance(each, type) and issubclass(each, BaseModel) and any(name in str(field.annotation) for field in model.model_fields.values()):
            found |= parts(each) if each is not model else set()
    return found


def test_the_canary_is_in_every_field_that_holds_words() -> None:
    """So that a field added to a scenario is held to this too."""
    text = DAY.replace("PORT", "80").replace("PIDFILE", "/canary.pid").replace("LENGTH", "60s").replace("RESPONDER", "rita")
    scenarios = loads(text.encode(), kinds.catalogue()).playbook.scenarios
    said = [found for scenario in scenarios for found in words(scenario) if found[0] not in TELL_NOTHING]
    assert {word for _, word in said if "canary" not in word.lower()} <= {"x", "name", "abort", "table", "arguments", "Support: TOLD"}
    fields = {field.alias or name for part in parts(Scenario) - {Expectation, Prediction} for name, field in part.model_fields.items()}
    made_of = {"faults", "expect", "predict", "cards", "rollback_plan", "afterwards", "on"}
    assert fields - TELL_NOTHING - {key for key, _ in said} - made_of == set(), "a field of a sealed scenario in which this test has no canary"


def begin_to_ask(place: Town, *command: str, into: int | IO[str] = subprocess.PIPE) -> subprocess.Popen[str]:
    environment = {**os.environ, "GAMEDAY_HOME": str(place.home), "TEMPORAL_ADDRESS": f"127.0.0.1:{place.port}", "COLUMNS": "200"}
    argv = [sys.executable, "-m", "gameday", *command]
    return subprocess.Popen(argv, env=environment, cwd=ROOT, stdout=into, stderr=subprocess.STDOUT, text=True)


def asked(place: Town, *command: str) -> str:
    return begin_to_ask(place, *command).communicate(timeout=60)[0]


PAGES = (
    ("status",), ("status", "--json"), ("runs",), ("runs", "--json"), ("replay",), ("replay", "--json"),
    ("report",), ("report", "--json"), ("leftovers",), ("leftovers", "--json"), ("audit", "verify", "--json"),
)  # fmt: skip


async def test_no_responder_reads_a_word_and_a_blind_abort_works(tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with town(home, "temporal") as place:
        (home / "settings.toml").write_text(SETTINGS.replace("HOME", str(home)))
        (home / "canary.pid").write_text(str(place.sleeper.pid))
        place.start("worker", "agent")
        text = DAY.replace("PIDFILE", str(home / "canary.pid")).replace("RESPONDER", user())
        handle = await place.begin(place.day(text=text))
        await place.until(lambda: place.is_frozen and (home / "canary-canary-value").exists(), "two faults are on")
        await place.until(lambda: kinds_of(place, handle.id) >= {EventKind.FAULT_ENDED, EventKind.CARD, EventKind.OBSERVER_GAP}, "all of it is told")
        with (home / "followed").open("w") as followed:
            following = begin_to_ask(place, "follow", "--json", into=followed)
        shown = dict(zip(map(" ".join, PAGES), await asyncio.gather(*(asyncio.to_thread(asked, place, *page) for page in PAGES)), strict=True))
        await place.until(lambda: "scenario.began" in (home / "followed").read_text(), "it is followed")
        shown["follow"] = (home / "followed").read_text()  # the end of the day opens what was sealed
        shown["note"] = await asyncio.to_thread(asked, place, "note", handle.id, "what was that?")
        shown["abort"] = await asyncio.to_thread(asked, place, "abort", handle.id, "--reason", "I do not know what it is")
        assert (await handle.result()).outcome == "aborted"
        await asyncio.to_thread(following.wait)
        assert place.is_clean and not (home / "canary-canary-value").exists()
        for name in ("status", "replay", "follow"):
            assert "Support: TOLD" in shown[name], f"{name}: what the world outside says is for everybody, once it is said"
        for name, page in shown.items():
            assert page.strip() and "Traceback" not in page, name
            assert [line for line in page.splitlines() if "canary" in line.lower()] == [], name
        for name in ("worker", "agent", "temporal"):
            assert "canary" not in (home / f"{name}.log").read_text().lower(), name
        told = json.loads(shown["report --json"]) if shown["report --json"].startswith("{") else {}
        assert told == {} or told["sealed"] == [1, 2, 3]
        assert "canary of the title" in await asyncio.to_thread(asked, place, "replay"), "the end of the day opens it: the test can fail"


def kinds_of(place: Town, run_id: str) -> set[EventKind]:
    return {event.kind for event in place.record(run_id).events}
