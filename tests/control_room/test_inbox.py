"""Each payload is worked on once: a second delivery is known, what a crash left is taken up again, and what was said does not stay."""

from __future__ import annotations

from pathlib import Path

from control_room.inbox import KEPT, Inbox
from control_room.payloads import SlashCommand, Who
from control_room.table import claim


def said(text: str, number: int = 1) -> SlashCommand:
    return SlashCommand(id=f"slack-command-{number}", who=Who(team="T01", user="U03"), channel="C01", text=text)


def test_a_second_delivery_is_known_also_after_a_restart(tmp_path: Path) -> None:
    first = Inbox(tmp_path / "base.db")
    assert first.take(said("abort")) and not first.take(said("abort"))
    first.close()
    assert not Inbox(tmp_path / "base.db").take(said("abort"))


def test_what_a_crash_left_is_taken_up_with_its_age(tmp_path: Path) -> None:
    now = [1000.0]
    first = Inbox(tmp_path / "base.db", lambda: now[0])
    first.take(said("abort"))
    first.take(said("note", 2))
    first.done(said("note", 2))
    first.close()
    now[0] += 30
    assert Inbox(tmp_path / "base.db", lambda: now[0]).left() == [(said("abort"), 30.0)]


def test_what_cannot_be_read_any_more_keeps_nothing_else_from_being_taken_up(tmp_path: Path) -> None:
    first = Inbox(tmp_path / "base.db")
    first.take(said("of another version", 2))
    first.take(said("abort"))
    first._base.execute("UPDATE inbox SET payload = '{}' WHERE id = 'slack-command-2'")
    first.close()
    again = Inbox(tmp_path / "base.db")
    assert [payload for payload, _ in again.left()] == [said("abort")]
    assert not again.take(said("of another version", 2)), "it is known all the same"


def test_one_folder_has_one_control_room(tmp_path: Path) -> None:
    first = claim(tmp_path / "slack")
    assert first is not None and claim(tmp_path / "slack") is None
    first.close()
    again = claim(tmp_path / "slack")
    assert again is not None
    again.close()


def test_what_was_said_does_not_stay_on_disk_once_its_work_is_done(tmp_path: Path) -> None:
    inbox = Inbox(tmp_path / "base.db")
    inbox.take(said("what nobody else may read"))
    inbox.done(said("what nobody else may read"))
    inbox.close()
    found = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"what nobody else may read" not in found
    assert (tmp_path / "base.db").stat().st_mode & 0o077 == 0


def test_ids_are_let_go_when_nothing_delivers_them_any_more(tmp_path: Path) -> None:
    now = [1000.0]
    inbox = Inbox(tmp_path / "base.db", lambda: now[0])
    inbox.take(said("abort"))
    now[0] += KEPT + 1
    assert inbox.left() == [] and inbox.take(said("abort"))
