"""What Temporal keeps is encrypted where there is a key: nothing of a playbook is in its history, its memo, its failures or its database."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload, SearchAttributes
from temporalio.client import Client

from gameday.commands import Verb
from gameday.errors import SettingsError, Unreadable
from gameday.halt import Halt
from tests.rigs.town import ROOT, Town, town
from worker import client as talking
from worker import codec, connection, lever

pytestmark = pytest.mark.timeout(120)
OLD, NEW = ("old:" + base64.b64encode(bytes([each]) * 32).decode() for each in (1, 2))
NEW = NEW.replace("old:", "new:")
PLAYBOOK = """
name: town-day
objective: OBJECTIVE-canary
environment: environment-canary
sampling: {every: 200ms, timeout: 500ms, baseline: 400ms, baseline_samples: 1, steady_samples: 2}
probes:
  up: {http: {url: 'http://127.0.0.1:PORT/URL-canary', measure: ok}}
team: {commander: {name: COMMANDER-canary, user: user-canary}}
checklist: [{item: CHECKLIST-canary}]
gates: {inject: off}
scenarios:
  - title: TITLE-canary
    hypothesis: HYPOTHESIS-canary
    faults:
      - {name: fault-canary, inject: process.pause, on: {host: local, pid_file: PIDFILE}, for: LENGTH}
      - {name: refused, inject: command, with: {name: failing}}
    rollback_plan: [ROLLBACK-canary]
    afterwards: {steady_for: 0s, recover_within: 1s}
"""
COMMANDS = """
[commands.failing]
do = ["sh", "-c", "echo FAILURE-canary; exit 3"]
undo = ["true"]
check = ["false"]
"""
WORDS = [
    f"{word}-canary"
    for word in ["OBJECTIVE", "environment", "URL", "COMMANDER", "user", "CHECKLIST", "TITLE", "HYPOTHESIS", "fault", "ROLLBACK", "FAILURE", "REASON"]
]


def encryption(*lines: str) -> codec.Encryption:
    return codec.Encryption(codec._parsed("\n".join(lines), "here"))


def there_and_back(writer: codec.Encryption, reader: codec.Encryption, payload: Payload) -> Payload:
    (written,) = asyncio.run(writer.encode([payload]))
    (read,) = asyncio.run(reader.decode([written]))
    return read


@given(st.binary(max_size=2000), st.dictionaries(st.text(min_size=1, max_size=20), st.binary(max_size=50), max_size=3))
def test_what_is_encrypted_is_read_as_it_was(data: bytes, metadata: dict[str, bytes]) -> None:
    payload = Payload(metadata=metadata, data=data)
    assert there_and_back(encryption(OLD), encryption(OLD), payload) == payload


def test_nothing_of_it_can_be_seen_and_nothing_is_ever_the_same() -> None:
    payloads = asyncio.run(encryption(OLD).encode([Payload(metadata={"encoding": b"json/plain"}, data=b"canary")] * 100))
    assert len({payload.data[:12] for payload in payloads}) == 100
    for payload in payloads:
        assert dict(payload.metadata) == {"encoding": b"binary/encrypted", "encryption-key-id": b"old"}
        assert b"canary" not in payload.SerializeToString() and b"json" not in payload.SerializeToString()


def test_a_key_is_followed_by_another_and_what_the_old_one_wrote_is_still_read() -> None:
    payload = Payload(data=b"x")
    assert there_and_back(encryption(OLD), encryption(NEW, OLD), payload) == payload
    (written,) = asyncio.run(encryption(NEW, OLD).encode([payload]))
    assert written.metadata["encryption-key-id"] == b"new"


def test_what_is_not_encrypted_is_read_as_it_is() -> None:
    payload = Payload(metadata={"encoding": b"json/plain"}, data=b"x")
    assert there_and_back(codec.Encryption({}), encryption(OLD), payload) == payload


def changed(payload: Payload, at: int) -> Payload:
    data = bytearray(payload.data)
    data[at] ^= 1
    return Payload(metadata=payload.metadata, data=bytes(data))


@pytest.mark.parametrize("at", [0, 11, 12, -17, -1])
def test_a_change_on_its_way_is_noticed(at: int) -> None:
    (written,) = asyncio.run(encryption(OLD).encode([Payload(data=b"much ado")]))
    with pytest.raises(Unreadable, match="the key 'old', and cannot be read here: the key of that name here is another one, or it was changed"):
        asyncio.run(encryption(OLD).decode([changed(written, at)]))


def test_the_id_of_the_key_is_bound_to_what_it_encrypts() -> None:
    same = OLD.replace("old:", "same:")
    (written,) = asyncio.run(encryption(OLD).encode([Payload(data=b"x")]))
    written.metadata["encryption-key-id"] = b"same"
    with pytest.raises(Unreadable):
        asyncio.run(encryption(OLD, same).decode([written]))


@pytest.mark.parametrize("lines", [(), (NEW,), (NEW.replace("new:", "old:"),)], ids=["no key", "another key", "another key of the same name"])
def test_whoever_lacks_the_key_is_told_which_and_what_to_do(lines: Sequence[str]) -> None:
    (written,) = asyncio.run(encryption(OLD).encode([Payload(data=b"x")]))
    reader = encryption(*lines) if lines else codec.Encryption({})
    with pytest.raises(Unreadable) as raised:
        asyncio.run(reader.decode([written]))
    assert "the key 'old'" in str(raised.value) and "GAMEDAY_PAYLOAD_KEY_FILE" in str(raised.value)
    assert not any(line.partition(":")[2] in str(raised.value) for line in (OLD, NEW))
    assert raised.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "said"),
    {
        "": "holds no key",
        "one:c2hvcnQ=": "line 1: this is no key",
        "one:not base64!": "line 1: this is no key",
        f"bad name:{OLD[4:]}": "line 1: this is no key",
        OLD[4:]: "line 1: this is no key",
        f"# comment\n\n{OLD}\n{OLD}": "line 4: there are two keys of this id",
    }.items(),
)
def test_what_is_no_key_is_said_without_it(text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys"
    file.write_text(text)
    file.chmod(0o600)
    monkeypatch.setenv("GAMEDAY_PAYLOAD_KEY_FILE", str(file))
    with pytest.raises(SettingsError, match=said) as raised:
        codec.encryption()
    assert str(file) in str(raised.value) and not any(len(word) > 5 and word in str(raised.value) for word in text.replace("\n", ":").split(":"))


def test_a_file_that_is_not_private_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys"
    monkeypatch.setenv("GAMEDAY_PAYLOAD_KEY_FILE", str(file))
    with pytest.raises(SettingsError, match="cannot be read"):
        codec.encryption()
    file.write_text(OLD)
    for mode in (0o640, 0o604, 0o620, 0o602):
        file.chmod(mode)
        with pytest.raises(SettingsError, match="can be read or written by others"):
            codec.encryption()
    file.chmod(0o400)
    assert codec.encryption().key_ids == ("old",)
    if os.geteuid() == 0:
        os.chown(file, 12345, 12345)
        with pytest.raises(SettingsError, match="belongs to another user"):
            codec.encryption()
    file.unlink()
    os.mkfifo(file, 0o600)
    with pytest.raises(SettingsError, match="is no file"):
        codec.encryption()
    monkeypatch.setenv("GAMEDAY_PAYLOAD_KEY", OLD)
    with pytest.raises(SettingsError, match="both set"):
        codec.encryption()


def test_without_a_key_nothing_is_imported_for_it() -> None:
    code = "import sys, worker.connection as c; c.data_converter(); print('cryptography' in sys.modules)"
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GAMEDAY_PAYLOAD")}
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True, check=True).stdout == "False\n"


def encodings(message: Message) -> Iterator[str]:
    """How each payload within is encoded. Search attributes are for Temporal to read."""
    if isinstance(message, Payload):
        yield message.metadata.get("encoding", b"").decode()
    for field, value in message.ListFields():
        if field.message_type is None or isinstance(value, SearchAttributes):
            continue
        is_map = field.message_type.GetOptions().map_entry
        below = value.values() if is_map else value if field.is_repeated else [value]
        for each in below:
            if isinstance(each, Message):
                yield from encodings(each)


async def kept_of_a_whole_run(place: Town) -> tuple[str, set[str]]:
    """Everything that Temporal has of a run with all the words in it: its histories as they come, its descriptions, its database; its encodings."""
    (place.home / "settings.toml").write_text(COMMANDS)
    await place.serve()
    place.start("worker", "agent")
    handle = await place.begin(place.day(text=PLAYBOOK, length="60s"))
    await place.until(lambda: place.is_frozen, "the sleeper is frozen")
    await place.tell(handle, Verb.NOTE, text="REASON-canary of a note")
    await place.tell(handle, Verb.ABORT, reason="REASON-canary")
    assert (await handle.result()).outcome == "aborted"
    assert any("FAILURE-canary" in json.dumps(event.data) for event in place.record(handle.id).events)
    client = await place.client()
    kept, found = b"", set[str]()
    async for run in client.list_workflows():
        of_run = client.get_workflow_handle(run.id)
        for message in [*[event async for event in of_run.fetch_history_events()], (await of_run.describe()).raw_description]:
            kept += message.SerializeToString()
            found |= set(encodings(message))
    place.kill("temporal")
    kept += b"".join(path.read_bytes() for path in place.home.glob("temporal.db*"))
    for name in ("worker", "agent", "temporal"):
        text = (place.home / f"{name}.log").read_text()
        assert "Traceback" not in text and OLD.partition(":")[2] not in text, text
    return kept.decode("latin-1"), found


async def test_a_whole_run_leaves_no_word_in_temporal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_PAYLOAD_KEY", OLD)
    async with town(tmp_path / "home", "temporal") as place:
        kept, encoded = await kept_of_a_whole_run(place)
    assert [word for word in WORDS if word in kept] == [] and encoded == {"binary/encrypted"}
    assert "town-day" in kept and "process.pause.inject" in kept and "gameday-host-local" in kept, "docs/security.md says that these can be read"


async def test_without_a_key_every_word_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that the test above can fail."""
    monkeypatch.delenv("GAMEDAY_PAYLOAD_KEY", raising=False)
    async with town(tmp_path / "home", "temporal") as place:
        kept, encoded = await kept_of_a_whole_run(place)
    assert [word for word in WORDS if word not in kept] == [] and "json/plain" in encoded


async def other_client(place: Town, keyless: bool = True) -> Client:
    client = await place.client()
    config = client.config()
    config["data_converter"] = connection.data_converter(keyless)
    return Client(**config)


async def test_a_conductor_without_the_key_loses_no_run_and_its_fault_ends_by_its_lease(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_PAYLOAD_KEY", OLD)
    async with town(tmp_path / "home", "temporal", "worker", "agent") as place:
        handle = await place.frozen_day(length="60s", lease=timedelta(seconds=5))
        place.kill("worker")
        place.environment["GAMEDAY_PAYLOAD_KEY"] = ""
        place.start("worker")
        told = place.home / "worker.log"
        await place.until(lambda: "encrypted with the key 'old', and cannot be read here" in told.read_text(), "the conductor tells it")
        await place.until(lambda: place.is_clean, "the fault ended by its lease")
        assert not place.late()
        place.kill("worker")
        del place.environment["GAMEDAY_PAYLOAD_KEY"]
        place.start("worker")
        result = await asyncio.wait_for(talking.outcome(handle, handle.id), 60)
        assert [story.outcome for story in place.record(result.run_id).faults()] == ["expired"]
        assert Path(result.report).is_file()


def said_by(place: Town, *words: str, key: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GAMEDAY_HOME": str(place.home), "TEMPORAL_ADDRESS": f"127.0.0.1:{place.port}", "GAMEDAY_PAYLOAD_KEY": key}
    return subprocess.run([sys.executable, "-m", "gameday", *words], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)


async def test_without_the_key_an_abort_is_taken_and_an_agent_puts_nothing_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_PAYLOAD_KEY", OLD)
    async with town(tmp_path / "home", "temporal", "worker", "agent") as place:
        handle = await place.frozen_day()
        asked = await asyncio.to_thread(said_by, place, "note", handle.id, "hello", key="")
        assert asked.returncode == 5 and "encrypted with the key 'old'" in asked.stderr and len(asked.stderr.splitlines()) == 1
        broken = await asyncio.to_thread(said_by, place, "note", handle.id, "hello", key="x:y")
        assert broken.returncode == 2 and broken.stderr.startswith("gameday: GAMEDAY_PAYLOAD_KEY, line 1: this is no key; expected")
        aborted = await asyncio.to_thread(said_by, place, "abort", handle.id, key="x:y")
        assert aborted.returncode == 0 and "The abort goes on, not encrypted" in aborted.stderr, aborted
        assert (await handle.result()).outcome == "aborted" and place.is_clean
        place.kill("agent")
        place.environment["GAMEDAY_PAYLOAD_KEY"] = ""
        place.start("agent")
        handle = await place.begin(place.day())
        result = await asyncio.wait_for(talking.outcome(handle, handle.id), 60)
        assert result.outcome == "stood-down" and not place.is_frozen
        assert "local: what Temporal holds is encrypted with the key 'old', and cannot be read here" in result.reason
        assert "encrypted with the key 'old'" in (place.home / "agent.log").read_text()


async def test_whoever_has_another_key_wedges_no_run_and_can_abort_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the conductor cannot read would keep it from reading anything after it: it is not sent."""
    monkeypatch.setenv("GAMEDAY_PAYLOAD_KEY", OLD)
    async with town(tmp_path / "home", "temporal", "worker", "agent") as place:
        handle = await place.frozen_day()
        noted = await asyncio.to_thread(said_by, place, "note", handle.id, "hello", key=NEW)
        assert noted.returncode == 5 and "encrypted with the key 'old'" in noted.stderr
        aborted = await asyncio.to_thread(said_by, place, "abort", handle.id, key=NEW)
        assert aborted.returncode == 0, aborted
        assert (await asyncio.wait_for(handle.result(), 60)).outcome == "aborted" and place.is_clean


async def test_a_halt_that_cannot_be_read_stands_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAMEDAY_PAYLOAD_KEY", OLD)
    async with town(tmp_path / "home", "temporal") as place:
        await lever.pull(await place.client(), Halt("Ada", "os:ada", "smoke", "2026-06-18T12:00:00+00:00"), [])
        stands = await lever.standing(await other_client(place))
        assert stands is not None and stands.reason == "encrypted with a key that is not here"
        read = await lever.standing(await place.client())
        assert read is not None and read.reason == "smoke"
