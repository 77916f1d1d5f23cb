"""The pictures of the README, from a recorded run: python docs/images/make.py [RUN]

Uses the demo's own home, so `make demo` comes first. The screen is drawn by the code that draws it live; nothing in it is made up.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import sys
from datetime import timedelta
from pathlib import Path

from rich.console import Console

from gameday.cli import context
from gameday.cli.console import Frame, picture
from gameday.cli.following import labels
from gameday.cli.keys import Keys
from gameday.cli.replay import Player
from gameday.record import RunRecord

HERE = Path(__file__).parent
WIDTH, HEIGHT = 118, 28
MOMENT = timedelta(seconds=6.0)
"""After the first inject: the alert has fired, people have spoken, and the stand-by is about to take over."""
CELL = 12.2
"""How wide one character is in rich's SVG."""


def screen(record: RunRecord) -> str:
    """The live view as it was in the first scenario, as SVG."""
    player = Player(record, 1.0)
    player.seek((record.injected_at(0) or player.begin) + MOMENT)
    keys = Keys(print, labels(player.view))
    rows = picture(player.view, Frame(player.at, WIDTH, HEIGHT, bottom=keys.rows(WIDTH)))
    console = Console(record=True, width=WIDTH, file=open(os.devnull, "w"), force_terminal=True, color_system="truecolor")  # noqa: SIM115, PTH123
    for row in rows:
        console.print(row, no_wrap=True, crop=True)
    svg = console.export_svg(title=f"gameday run {record.plan.playbook.name}.yaml")
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)  # no font is fetched from anywhere
    return re.sub(r'<text class="([^"]*-r\d+)" x="([\d.]+)" y="([\d.]+)" textLength="[\d.]+"( clip-path="[^"]*")>([^<]*)</text>', _apart, svg)


def _apart(text: re.Match[str]) -> str:
    """A piece of text without the blanks around and between its words: not every renderer keeps them."""
    style, left, top, clip, said = text.groups()
    plain = html.unescape(said)
    words = re.finditer(r"[^\xa0]+(?:\xa0[^\xa0]+)*", plain)
    places = ((float(left) + word.start() * CELL, len(word[0]) * CELL, html.escape(word[0])) for word in words)
    return "".join(f'<text class="{style}" x="{x:g}" y="{top}" textLength="{width:g}"{clip}>{word}</text>' for x, width, word in places)


def main() -> None:
    known = context.settings()
    record = context.record(context.store(known), sys.argv[1] if len(sys.argv) > 1 else "latest")
    (HERE / "run.svg").write_text(screen(record), encoding="utf-8")
    folder = known.home / "runs" / record.run_id
    chart = sorted(folder.glob("*2*errors*.svg")) or sorted(folder.glob("*.svg"))
    shutil.copy(chart[0], HERE / "chart.svg")
    print(f"{HERE}/run.svg and chart.svg, from the run {record.run_id}")


if __name__ == "__main__":
    main()
