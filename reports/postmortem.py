"""The postmortem of a run: `postmortem.md` and a picture of each probe, from the record alone.

Runs that ended, runs that last and runs that were killed half-way all have one; what a record lacks is said.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gameday.event import EventKind
from gameday.record import RunRecord
from gameday.viewer import HIDDEN
from reports import appendix
from reports.escape import fenced
from reports.missing import missing
from reports.opening import facts, summary, title
from reports.predicted import calibration
from reports.sealed import seen
from reports.section import Section, by_hand, notes, picture_files, section
from reports.statement import statement
from reports.story import Day
from reports.surprises import silent_alerts
from reports.templating import environment
from reports.timeline import day_timeline
from reports.words import capital

NAME = "postmortem.md"
_PICTURE = re.compile(r"scenario-\d+-[a-z0-9_]+\.svg")


def write(record: RunRecord, folder: Path, sealed_open: bool = False, earlier: Sequence[RunRecord] = ()) -> Path:
    """Writes the postmortem and its pictures. Each file appears whole or not at all; the same records give the same bytes.

    Args:
        record: what is known of the run.
        folder: where to; made if it is not there. Pictures of an earlier report that this one does not show are removed.
        sealed_open: whether the reader may see into sealed scenarios before their reveal. After the end of the run everything is open.
        earlier: the runs of its playbook before it, as far as it matters what people had predicted in them.

    Returns:
        The path of the document.
    """
    day = seen(record, sealed_open)
    pictures = _pictures(day)
    folder.mkdir(parents=True, exist_ok=True)
    for name, svg in pictures.items():
        _replace(folder / name, svg)
    document = folder / NAME
    _replace(document, _document(day, earlier))
    for path in folder.iterdir():
        if _PICTURE.fullmatch(path.name) and path.name not in pictures:
            path.unlink(missing_ok=True)
    return document


def render(record: RunRecord, sealed_open: bool = False, earlier: Sequence[RunRecord] = ()) -> str:
    """The document alone, as Markdown. The arguments are as in `write`."""
    return _document(seen(record, sealed_open), earlier)


def _pictures(day: Day) -> dict[str, str]:
    """Every picture by its file name."""
    from reports.charts import draw  # matplotlib takes long to import: only who draws pays for it
    from reports.picture import describe, picture

    drawn = {}
    for story in day.stories:
        for probe, name in picture_files(story).items():
            shown = picture(story, probe)
            if shown:
                drawn[name] = draw(shown, describe(story, probe))
    return drawn


def _document(day: Day, earlier: Sequence[RunRecord] = ()) -> str:
    """The templates' page without their superfluous empty lines, and the playbook, of which not a line is changed."""
    page = environment().get_template(NAME + ".j2").render(_values(day, earlier))
    text = day.record.plan.text
    playbook = str(fenced(text, "yaml")) if text else "It is shown once its sealed scenarios are revealed."
    return re.sub(r"\n{3,}", "\n\n", f"{page.rstrip()}\n\n") + f"{playbook}\n"


def _values(day: Day, earlier: Sequence[RunRecord]) -> dict[str, Any]:
    """All that the templates show, in plain text."""
    record, around = day.record, day.between_scenarios()
    nearness = calibration([*earlier, record])
    return {
        "title": title(day),
        "objective": record.plan.playbook.objective,
        "summary": summary(day),
        "facts": [*facts(day), *([("Predictions", nearness)] if nearness else [])],
        "incident": statement(record) if record.first(EventKind.REAL_CALLED) else [],
        "by_hand": [item for story in day.stories for item in by_hand(story)],
        "missing": missing(day),
        "chapters": _chapters(day),
        "silent_alerts": silent_alerts(record),
        "day_timeline": [(moment.time, moment.what, moment.text, moment.who) for moment in day_timeline(record.plan, around)],
        "day_notes": notes(tuple(around)),
        "definitions": appendix.definitions(record),
        "counts": appendix.counts(record),
        "closed": bool(day.closed),
        "versions": sorted(appendix.versions(record).items()),
        "clock_offsets": appendix.clock_offsets(record),
        "observer_gaps": appendix.observer_gaps(record),
    }


def _chapters(day: Day) -> list[tuple[int, str, Section | None]]:
    """Each scenario of the playbook: its number, its heading and, unless it is sealed or never began, what there is to tell."""
    began = {index for index, _ in day.record.scenarios()}
    stories = {story.index: story for story in day.stories}
    found: list[tuple[int, str, Section | None]] = []
    for index, scenario in enumerate(day.record.plan.playbook.scenarios):
        if index in stories:
            told = section(stories[index])
            found.append((index + 1, f"{scenario.title}: {told.points}", told))
        elif index in day.closed:
            found.append((index + 1, capital(HIDDEN) if index in began else "A sealed scenario, not begun", None))
        else:
            found.append((index + 1, f"{scenario.title}: not begun", None))
    return found


def _replace(path: Path, text: str) -> None:
    """Writes a file beside, and moves it to its place in one step."""
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        beside.write_text(text, encoding="utf-8", newline="\n")
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
