"""The control room under load: fifty things a second that people do, by both doors; how long Slack waits for each acknowledgement."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from benchmarks.table import Result, Row, percentile
from tests.rigs.slack_town import LINUS, RESPONSE, SlackTown, slack_town

PER_SECOND, SECONDS = 50, 10.0
LIMIT_MS = 500.0


async def measure() -> Result:
    rows, notes = [], []
    for door in ("Socket Mode", "signed callbacks"):
        with tempfile.TemporaryDirectory(prefix="gameday-bench-") as folder:
            async with slack_town(Path(folder) / "home", callbacks=door != "Socket Mode") as stage:
                waited, lost, noted = await asyncio.to_thread(_pressed, stage)
        p99 = percentile(waited, 0.99)
        said = f"median {percentile(waited, 0.5):.0f}, p99 {p99:.0f}, slowest {max(waited):.0f} ms"
        said += f" ({len(waited)} things in {SECONDS:.0f} s; {lost} not acknowledged)"
        what = f"done in Slack → acknowledged, {PER_SECOND} a second, by {door}"
        rows.append(Row(what, said, "Slack itself waits for 3 s", f"p99 under {LIMIT_MS:.0f} ms", p99 < LIMIT_MS and not lost))
        notes.append(f"{door}: {noted}")
    return Result(rows, notes)


def _pressed(stage: SlackTown) -> tuple[list[float], int, str]:
    """Notes, marks, presses and questions in turn; each is one that the run has to be told of, or a private answer."""
    slack, run = stage.slack, stage.begin()
    slack.until(lambda: stage.message(run, RESPONSE).action_ids, 20, "the response room's buttons")
    message, sent, began = stage.message(run, RESPONSE), [], time.monotonic()
    for number in range(int(PER_SECOND * SECONDS)):
        time.sleep(max(began + number / PER_SECOND - time.monotonic(), 0))
        match number % 4:
            case 0:
                sent.append(slack.command(LINUS, RESPONSE, "/gameday", f"note {run} number {number}"))
            case 1:
                sent.append(slack.press(LINUS, message, "ready"))
            case 2:
                sent.append(slack.command(LINUS, RESPONSE, "/gameday", f"status {run}"))
            case _:
                sent.append(slack.react(LINUS, slack.say(LINUS, RESPONSE, f"seen {number}"), "stopwatch"))
    for each in sent:
        each.wait(10)
    acked = [each.acked_after * 1000 for each in sent if each.acked_after is not None]
    done = time.monotonic() - began
    wanted = sum(number % 4 in (0, 3) for number in range(len(sent)))
    slack.until(lambda: _notes(stage, run) == wanted, 120, f"{wanted} notes in the record; {_notes(stage, run)} are")
    late = time.monotonic() - began - done
    return acked, len(sent) - len(acked), f"all {wanted} notes were in the record {late:.1f} s after the last was acknowledged, each once"


def _notes(stage: SlackTown, run: str) -> int:
    return sum(event.kind == "note" for event in stage.town.record(run).events)
