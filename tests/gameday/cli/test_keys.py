"""Keys: what is pressed, what is typed, and what comes of it."""

from __future__ import annotations

import pytest

from gameday.cli.keys import Decoder, Keys, Typing


def pressed(*keys: str) -> tuple[Keys, list[tuple[str, str]]]:
    done: list[tuple[str, str]] = []
    listener = Keys(lambda what, text: done.append((what, text)))
    for key in keys:
        listener.press(key)
    return listener, done


@pytest.mark.parametrize(("key", "what"), [("h", "hold"), ("g", "go"), ("r", "ready"), ("d", "detected"), ("m", "mitigated"), ("q", "leave")])
def test_a_letter_does_its_thing_at_once(key: str, what: str) -> None:
    assert pressed(key)[1] == [(what, "")]


def test_an_abort_asks_why_and_does_nothing_before_enter() -> None:
    keys, done = pressed("a", *"enough")
    assert done == []
    assert "Abort" in keys.rows(100)[0].plain
    keys.press("enter")
    assert done == [("abort", "enough")]


def test_an_abort_needs_no_reason() -> None:
    assert pressed("a", "enter")[1] == [("abort", "")]


def test_escape_goes_back_and_forgets() -> None:
    keys, done = pressed("a", *"oops", "esc", "n", *"seen it", "enter")
    assert done == [("note", "seen it")]
    assert keys.asking is None


def test_letters_are_text_while_something_is_typed() -> None:
    assert pressed("n", *"quit a hold", "enter")[1] == [("note", "quit a hold")]


def test_an_empty_note_is_not_sent() -> None:
    keys, done = pressed("n", " ", "enter")
    assert done == []
    assert keys.asking is not None


def test_a_question_mark_shows_the_help_and_any_key_takes_it_away() -> None:
    keys, _ = pressed("?")
    assert any("abort" in row.plain for row in keys.help())
    assert keys.helping
    keys.press("?")
    assert not keys.helping


def test_an_answer_stands_until_the_next_key() -> None:
    keys, _ = pressed()
    keys.answer = "on hold"
    assert keys.rows(80)[0].plain == "on hold"
    keys.press("x")
    assert keys.rows(80)[0].plain == ""


@pytest.mark.parametrize(
    ("keys", "text", "at"),
    [
        ([*"abc", "left", "left", "X"], "aXbc", 2),
        ([*"abc", "home", "delete", "end", "d"], "bcd", 3),
        ([*"abc", "back", "back", "back", "back"], "", 0),
        ([*"one two three", "word", "word", "x"], "one x", 5),
        ([*"one two", "left", "clear"], "o", 0),
        ([*"one two", "left", "left", "rest"], "one t", 5),
        ([*"ab", "right", "unknown", "\t"], "ab", 2),
        (["日", "本", "left", "é"], "日é本", 2),
    ],
)
def test_typing_can_be_edited(keys: list[str], text: str, at: int) -> None:
    typing = Typing()
    for key in keys:
        typing.press(key)
    assert (typing.text, typing.at) == (text, at)


def test_typing_has_a_limit() -> None:
    typing = Typing(limit=5)
    for key in "abcdefgh":
        typing.press(key)
    assert typing.text == "abcde"


@pytest.mark.parametrize("width", [8, 20, 60])
def test_what_is_typed_fits_with_its_cursor(width: int) -> None:
    typing = Typing()
    for key in "a long note with 日本 in it " * 4:
        typing.press(key)
    shown = typing.shown(width)
    assert shown.cell_len <= width
    assert shown.plain.endswith("in it  ")


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b"a", ["a"]),
        (b"\x1b", ["esc"]),
        (b"\x1b[D\x1b[C", ["left", "right"]),
        (b"\x1bOH\x1b[F", ["home", "end"]),
        (b"\x1b[3~x", ["delete", "x"]),
        (b"\x1b[200~", ["unknown"]),
        (b"\x1b[1;5D", ["unknown"]),
        (b"\r\x7f\x15\x17", ["enter", "back", "clear", "word"]),
        ("héllo".encode(), list("héllo")),
    ],
)
def test_bytes_are_read_as_keys(data: bytes, keys: list[str]) -> None:
    assert Decoder().keys(data) == keys


def test_a_character_that_comes_in_pieces_is_one_key() -> None:
    decoder, data = Decoder(), "日".encode()
    assert [*decoder.keys(data[:1]), *decoder.keys(data[1:])] == ["日"]
