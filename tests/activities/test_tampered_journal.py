"""A journal that somebody has been at: what was changed is never executed, it is told, and what is on is ended by whoever has read it before."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from activities import engine, watchdog
from activities.entry import Entry
from activities.journal import Journal, Order
from activities.operators import Operators
from activities.steps.step import from_json
from gameday.cli.leftovers import Leftover, Owner, _facts, _lines
from gameday.errors import GamedayError, NotReverted, Refused
from tests.activities.injectors.test_command import Switch
from tests.activities.injectors.test_process_pause import Sleeper
from tests.rigs.lab import Rig, rig, until

FIELDS = [
    "fault_id",
    "run_id",
    "name",
    "kind",
    "label",
    "lease",
    "cap",
    "momentary",
    "quiet",
    "steps",
    "undos",
    "expires",
    "knobs",
    "boot_id",
    "time_namespace",
    "armed_at",
    "armed_wall",
    "ends_at",
]
EDITS: dict[str, Callable[[dict[str, Any]], object]] = {
    **{f"{field} changed": lambda sealed, field=field: sealed["entry"].update({field: "0"}) for field in FIELDS},  # type: ignore[misc]
    **{f"{field} gone": lambda sealed, field=field: sealed["entry"].pop(field) for field in FIELDS},  # type: ignore[misc]
    "another command": lambda sealed: sealed["entry"]["steps"][0].update({"back": ["touch", "/tmp/executed"]}),
    "one more step": lambda sealed: sealed["entry"]["steps"].append(sealed["entry"]["steps"][0]),
    "one more field": lambda sealed: sealed["entry"].update({"more": 1}),
    "another seal": lambda sealed: sealed.update({"hmac": "0" * 64}),
    "no seal": lambda sealed: sealed.pop("hmac"),
    "a seal of another kind": lambda sealed: sealed.update({"hmac": None}),
    "no entry": lambda sealed: sealed.pop("entry"),
    "an entry of another kind": lambda sealed: sealed.update({"entry": [1]}),
}


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Switch]:
    with rig(Switch, tmp_path / "rig") as built:
        yield built


def put_on(journal: Journal, target: Rig, fault_id: str = "f-on", **more: Any) -> Entry:
    order = target.order(fault_id, **more)
    engine.inject(journal, Order(**order["order"]), [from_json(step) for step in order["steps"]], lambda: [each.watch() for each in journal.live()])
    entry = journal.find(fault_id)
    assert entry is not None
    return entry


def told(entry: Entry, problem: str = "") -> str:
    return "\n".join(_lines([Leftover(entry, Owner.NONE, problem=problem)], reverted=True))


def test_the_fields_are_those_of_an_entry(tmp_path: Path, target: Switch) -> None:
    assert sorted(put_on(Journal.at(tmp_path / "home"), target).data) == sorted(FIELDS)


def test_an_edited_entry_is_never_executed_and_is_told(tmp_path: Path, target: Switch) -> None:
    """Each field in turn, by somebody who starts afterwards, and so has nothing else to go by."""
    home = tmp_path / "home"
    path = put_on(Journal.at(home), target).folder / "entry"
    during, sealed = target.look(), path.read_bytes()
    for name, edit in EDITS.items():
        changed = json.loads(sealed)
        edit(changed)
        path.write_text(json.dumps(changed))
        _never_executed(home, name)
    for cut in (0, 1, len(sealed) // 2, len(sealed) - 1):
        path.write_bytes(sealed[:cut])
        _never_executed(home, f"cut after {cut}")
    assert target.look() == during and not Path("/tmp/executed").exists()
    path.write_bytes(sealed)
    assert engine.revert(Journal.at(home), "f-on", "it is as it was")["outcome"] == "reverted"


def _never_executed(home: Path, how: str) -> None:
    journal = Journal.at(home)
    (entry,) = journal.live()
    assert not entry.authentic and entry.due() == "the entry is not authentic", how
    with pytest.raises(NotReverted, match="is never executed") as raised:
        engine.revert(journal, "f-on", "it is tried")
    assert "is damaged or was changed: it is never executed" in told(entry, str(raised.value)), how
    assert _facts(Leftover(entry, Owner.NONE))["authentic"] is False


def test_entries_that_were_swapped_are_none(tmp_path: Path, target: Switch) -> None:
    home = tmp_path / "home"
    with rig(Sleeper, tmp_path / "sleeper") as sleeper:
        one, other = (put_on(Journal.at(home), each, name).folder / "entry" for each, name in ((target, "f-one"), (sleeper, "f-other")))
        texts = one.read_bytes(), other.read_bytes()
        one.write_bytes(texts[1])
        other.write_bytes(texts[0])
        journal = Journal.at(home)
        assert [entry.authentic for entry in journal.live()] == [False, False]
        for fault_id in ("f-one", "f-other"):
            with pytest.raises(NotReverted):
                engine.revert(journal, fault_id, "it is tried")
        assert sleeper.look() == "stopped"


def test_an_entry_from_another_home_is_none(tmp_path: Path, target: Switch) -> None:
    theirs = put_on(Journal.at(tmp_path / "theirs"), target)
    ours = Journal.at(tmp_path / "ours")
    shutil.copytree(theirs.folder, ours.root / "f-on")
    with pytest.raises(NotReverted):
        engine.revert(ours, "f-on", "it is tried")
    assert engine.revert(Journal.at(tmp_path / "theirs"), "f-on", "whose it is")["outcome"] == "reverted"


@pytest.mark.parametrize(
    ("place", "mode"), [("journal", 0o720), ("journal", 0o702), ("keys", 0o722), ("keys/journal", 0o640), ("keys/journal", 0o604)]
)
def test_a_journal_that_is_not_private_is_never_executed_and_nothing_is_put_on(tmp_path: Path, target: Switch, place: str, mode: int) -> None:
    home = tmp_path / "home"
    put_on(Journal.at(home), target)
    right = (home / place).stat().st_mode
    (home / place).chmod(mode)
    with pytest.raises(NotReverted, match=f"{home / place} can be (read|written) by others: chmod [67]00"):
        engine.revert(Journal.at(home), "f-on", "it is tried")
    with rig(Sleeper, tmp_path / "sleeper") as sleeper:
        with pytest.raises(Refused, match=r"^nothing is put on: "):
            put_on(Journal.at(home), sleeper, "f-new")
        assert sleeper.look() == "running"
    (entry,) = Journal.at(home).live()
    assert f"{home / place} can be" in told(entry) and "never executed" in told(entry)
    (home / place).chmod(right)
    assert engine.revert(Journal.at(home), "f-on", "it is private again")["outcome"] == "reverted"


@pytest.mark.parametrize("place", ["journal", "keys", "keys/journal"])
def test_root_does_not_execute_what_another_user_could_have_written(tmp_path: Path, target: Switch, place: str) -> None:
    """`gameday leftovers --revert` by root on somebody's home would else run their commands as root."""
    if os.geteuid() != 0:
        pytest.skip("kernel: only root can give files away")
    home = tmp_path / "home"
    put_on(Journal.at(home), target)
    os.chown(home / place, 12345, 12345)
    with pytest.raises(NotReverted, match=r"belongs to another user \(uid 12345\)"):
        engine.revert(Journal.at(home), "f-on", "it is tried")
    os.chown(home / place, 0, 0)
    assert engine.revert(Journal.at(home), "f-on", "it is ours again")["outcome"] == "reverted"


def test_a_key_that_is_cut_is_told(tmp_path: Path) -> None:
    Journal.at(tmp_path)
    (tmp_path / "keys" / "journal").write_bytes(b"short")
    with pytest.raises(GamedayError, match="can be told from a forgery"):
        Journal.at(tmp_path)


async def test_what_is_on_is_ended_by_the_watchdog_that_has_read_it_before(tmp_path: Path, operators: Operators, target: Switch) -> None:
    """At once, and as it was sealed: nothing of what was written in its place is done."""
    before = target.look()
    await operators.perform(target.order("f-on", lease=600.0))
    path = tmp_path / "home" / "journal" / "f-on" / "entry"
    changed = json.loads(path.read_bytes())
    changed["entry"]["steps"][0]["back"] = ["touch", str(tmp_path / "executed")]
    path.write_text(json.dumps(changed))
    entry = Journal.at(tmp_path / "home").find("f-on")
    assert entry is not None and not entry.authentic
    await asyncio.to_thread(until, lambda: entry.tombstone is not None)
    assert target.look() == before and not (tmp_path / "executed").exists()
    assert entry.tombstone is not None and entry.tombstone["reason"] == "its journal entry was changed by somebody else"


def test_steps_are_data_of_a_known_shape() -> None:
    """Also with the right seal nothing but the primitives there are can be named, and nothing but what they take given to them."""
    for bad in (
        {"primitive": "os.system", "name": "touch /tmp/executed"},
        {"primitive": "command", "name": "x", "do": "touch /tmp/executed", "back": [], "look": []},
        {"primitive": "command", "name": "x", "do": ["a\0b"], "back": ["true"], "look": ["true"]},
        {"primitive": "process.pause", "pid": 1, "born": "a/b/1"},
        {"primitive": "process.pause", "pid": "$(id)", "born": "a/b/1"},
        {"primitive": "process.pause", "pid": 5, "born": "a/b/1", "__class__": "x"},
        {"primitive": None},
        {},
    ):
        with pytest.raises(GamedayError):
            from_json(bad)


def test_no_command_sees_a_secret_of_gamedays_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from activities.hands import JournaledHands

    monkeypatch.setenv("GAMEDAY_PAYLOAD_KEY", "canary")
    monkeypatch.setenv("TEMPORAL_API_KEY", "canary")
    monkeypatch.setenv("SHOP_TOKEN", "canary")
    code, said = JournaledHands(None, lambda: None).run((shutil.which("env") or "env",), 5.0)
    assert code == 0 and "PATH=" in said and "canary" not in said
    assert "canary" not in json.dumps(watchdog.bare_environment())
