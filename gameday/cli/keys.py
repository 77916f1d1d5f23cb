"""Keys in the live view: single letters, and a line of text where one is asked for. Pure; reading the terminal is in `terminal`."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rich.text import Text

from gameday.cli.columns import fitting, row

_SEQUENCES = {
    "[D": "left",
    "OD": "left",
    "[C": "right",
    "OC": "right",
    "[H": "home",
    "OH": "home",
    "[1~": "home",
    "[F": "end",
    "OF": "end",
    "[4~": "end",
    "[3~": "delete",
}
_CONTROLS = {"\x01": "home", "\x05": "end", "\x02": "left", "\x06": "right", "\x04": "delete", "\x7f": "back", "\b": "back"}
_CONTROLS |= {"\r": "enter", "\n": "enter", "\x15": "clear", "\x17": "word", "\x0b": "rest"}
_TOKEN = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O[A-Za-z])|.", re.DOTALL)


class Decoder:
    """Bytes of a terminal as keys: characters as they are, others by name (`left`, `esc`). Pieces of a character are put together."""

    def __init__(self) -> None:
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def keys(self, data: bytes) -> list[str]:
        return [_key(typed) for typed in _TOKEN.findall(self._utf8.decode(data))]


def _key(typed: str) -> str:
    if typed == "\x1b":
        return "esc"
    if typed.startswith("\x1b"):
        return _SEQUENCES.get(typed[1:], "unknown")
    return _CONTROLS.get(typed, typed)


@dataclass
class Typing:
    """A line of text being typed, with a cursor."""

    limit: int = 500
    text: str = ""
    at: int = 0

    def press(self, key: str) -> None:
        before, after = self.text[: self.at], self.text[self.at :]
        match key:
            case "left" | "right":
                self.at = max(0, min(len(self.text), self.at + (1 if key == "right" else -1)))
            case "home" | "end":
                self.at = 0 if key == "home" else len(self.text)
            case "back":
                self.text, self.at = before[:-1] + after, max(self.at - 1, 0)
            case "delete":
                self.text = before + after[1:]
            case "rest":
                self.text = before
            case "clear":
                self.text, self.at = after, 0
            case "word":
                kept = re.sub(r"\S*\s*$", "", before)
                self.text, self.at = kept + after, len(kept)
            case _ if len(key) == 1 and key.isprintable() and len(self.text) < self.limit:
                self.text, self.at = before + key + after, self.at + 1

    def shown(self, width: int) -> Text:
        """The part around the cursor that fits; the cursor is reversed."""
        text = row(self.text[: self.at], (self.text[self.at : self.at + 1] or " ", "reverse"), self.text[self.at + 1 :])
        start = 0
        while Text(self.text[start : self.at]).cell_len > max(width - 2, 1):
            start += 1
        return text[start:] if start else text


@dataclass(frozen=True)
class Ask:
    """A key that asks for a line of text before it does something."""

    what: str
    prompt: str
    style: str
    may_be_empty: bool


ASKS: Mapping[str, Ask] = {
    "a": Ask("abort", "Abort the day. Why? (Enter aborts, Esc goes back) ", "bold white on red", may_be_empty=True),
    "n": Ask("note", "Note: ", "bold cyan", may_be_empty=False),
}
TELLS = {"h": "hold", "g": "go", "r": "ready", "d": "detected", "m": "mitigated", "q": "leave"}
HELP = (
    ("a", "abort: take all off, prove it, end the day"),
    ("h", "hold: nothing new starts; again: resume"),
    ("g", "go: open the gate that waits"),
    ("r", "say that you are ready"),
    ("n", "write a note onto the timeline"),
    ("d m", "mark that people detected, or mitigated, it"),
    ("q", "leave it running; `gameday follow` comes back"),
    ("Ctrl-C", "abort; again: leave without the proof"),
    ("✔ ✘ ?", "it holds, it does not, it is not known"),
    ("+0:23", "counts from the first inject of the scenario"),
    ("lease", "how long a fault lives if nobody renews it"),
)


@dataclass
class Keys:
    """Turns key presses into calls of `do(what, text)`."""

    do: Callable[[str, str], None]
    labels: Mapping[str, str] = field(default_factory=dict)
    asking: Ask | None = None
    typing: Typing = field(default_factory=Typing)
    answer: str = ""
    helping: bool = False

    def press(self, key: str) -> None:
        if self.asking:
            self._type(self.asking, key)
            return
        self.answer = ""
        was_helping, self.helping = self.helping, False
        if key == "?":
            self.helping = not was_helping
        elif key in ASKS:
            self.asking, self.typing = ASKS[key], Typing()
        elif key in TELLS:
            self.do(TELLS[key], "")

    def _type(self, ask: Ask, key: str) -> None:
        text = self.typing.text.strip()
        if key == "esc":
            self.asking = None
        elif key != "enter":
            self.typing.press(key)
        elif text or ask.may_be_empty:
            self.asking = None
            self.do(ask.what, text)

    def rows(self, width: int) -> list[Text]:
        """The two last rows: what is typed or was answered, and the keys."""
        hints = fitting((hint(self.labels, gap) for gap in (3, 2, 1)), width)
        if self.asking is None:
            return [Text(self.answer, style="bold"), hints]
        prompt = Text(self.asking.prompt, style=self.asking.style)
        if prompt.cell_len > width // 2:
            return [prompt, row(self.typing.shown(width))]
        return [row(prompt, self.typing.shown(width - prompt.cell_len)), row(("Enter writes it, Esc goes back", "dim"))]

    def help(self) -> list[Text]:
        """What each key does, and what the signs mean."""
        return [row((f"{key:>7}  ", "bold"), said) for key, said in HELP]


def hint(labels: Mapping[str, str], gap: int) -> Text:
    """The keys, each with its label; the shortest form has the keys' first words only."""
    text = row()
    for key, label in labels.items():
        said = label if gap > 1 else label.split()[0]
        text.append(" " * gap if text else "").append(key, style="bold").append(f" {said}", style="dim")
    return text
