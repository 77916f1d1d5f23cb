"""The probes in the live view: what they read now, what they should read, when the run aborts, and the trend."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from rich.text import Text

from gameday.cli.columns import Column, cut, row, table
from gameday.language import Guardrail
from gameday.observation import Verdict
from gameday.probe import Sample
from gameday.rows import TREND, ProbeRow
from gameday.said import limit_of, steady
from gameday.units import clock, spoken
from gameday.view import RunView

SIGNS = {Verdict.GOOD: ("✔", "green"), Verdict.BAD: ("✘", "bold red"), Verdict.UNKNOWN: ("?", "yellow")}
BARS = "▁▂▃▄▅▆▇"
"""Not the full block: two rows of them would run into one."""
NO_SAMPLE = ProbeRow("")


def probes(view: RunView, now: datetime, width: int, most: int) -> list[Text]:
    """The table of probes, at most so many of them: what is bad is never the one left out."""
    names = list(view.plan.playbook.probes)
    shown = _weightiest(view, names, most)
    if not shown:
        return []
    lines = table(_variants(view, now, shown), width)
    left = len(names) - len(shown)
    more = [row((f"and {left} more", "dim"))] if left else []
    reasons = [(name, _reason(view, name)) for name in shown]
    untold = [cut(row(f"{name}: ", why), width) for (name, why), line in zip(reasons, lines[1:], strict=True) if why and why.plain not in line.plain]
    return [*lines, *more, *untold][: most + 1]


def _weightiest(view: RunView, names: Sequence[str], most: int) -> list[str]:
    """The probes to show, in the order of the playbook."""
    if len(names) <= most:
        return list(names)
    weight = {Verdict.BAD: 0, Verdict.UNKNOWN: 1, Verdict.GOOD: 2}
    heaviest = sorted(names, key=lambda name: weight.get(view.verdict(name), 3))[: max(most - 1, 0)]  # type: ignore[arg-type]  # None is the default
    return [name for name in names if name in heaviest]


def _variants(view: RunView, now: datetime, names: Sequence[str]) -> Iterator[Callable[[], Sequence[Column]]]:
    """From everything to the least that is of use."""

    def some(baseline: bool, guard: Callable[[Guardrail], str] | None, trend: int) -> Callable[[], Sequence[Column]]:
        return lambda: [
            Column("probe", [Text(name) for name in names]),
            Column(_age(view, now), [_now(view, name) for name in names]),
            *([Column("baseline", [_baseline(view, name) for name in names])] if baseline else []),
            Column("steady state", _steady(view, names)),
            *([Column("abort when", [_guards(view, name, guard) for name in names])] if guard else []),
            *([_trends(view, names, now, trend)] if trend else []),
        ]

    yield some(True, limit_of, 32)
    yield some(True, _in_short, 24)
    yield some(False, _in_short, 24)
    yield some(False, None, 24)
    yield some(False, None, 8)
    yield some(False, None, 0)


def _span(view: RunView, now: datetime) -> timedelta:
    """How far back the trends reach: as far as there is something, two minutes at the most."""
    since = now - view.plan.started_at
    return next((span for span in (TREND / 8, TREND / 4, TREND / 2) if since <= span), TREND)


def _age(view: RunView, now: datetime) -> Text:
    """The title of the readings: `now`, or how old they are."""
    old = now - view.sampled_at if view.sampled_at else timedelta(0)
    every = view.plan.playbook.sampling.every
    if old <= max(3 * every, timedelta(seconds=5)):
        return Text("now", style="dim")
    return Text("at the end" if view.outcome else f"{clock(old)} ago", style="yellow")


def _now(view: RunView, name: str) -> Text:
    sample = view.probes.get(name, NO_SAMPLE).sample
    if sample is None:
        return Text("–", style="dim")
    style = {Verdict.BAD: "bold red", Verdict.UNKNOWN: "yellow"}.get(view.verdict(name) or Verdict.GOOD, "bold")
    return Text(view.yardstick.show(name, sample.value), style=style)


def _baseline(view: RunView, name: str) -> Text:
    yardstick = view.yardstick
    baseline = yardstick.baseline(name)
    return Text("–" if baseline is None else yardstick.show(name, baseline), style="dim" if baseline is None else "")


def _steady(view: RunView, names: Sequence[str]) -> list[Text]:
    """What should hold and whether it does, the signs below each other."""
    said = [steady(view, name) for name in names]
    longest = max(map(len, said), default=0)
    verdicts = [view.verdict(name) for name in names]
    return [row(f"{text:<{longest}} ", SIGNS[verdict]) if verdict else Text(text) for text, verdict in zip(said, verdicts, strict=True)]


def _guards(view: RunView, name: str, said: Callable[[Guardrail], str]) -> Text:
    return Text(", ".join(said(each) for each in view.plan.playbook.abort_when if each.probe == name))


def _in_short(guardrail: Guardrail) -> str:
    return limit_of(guardrail).removesuffix(" samples").replace(" in total", " total")


def _trends(view: RunView, names: Sequence[str], now: datetime, width: int) -> Column:
    def drawn(room: int) -> list[Text]:
        return [_trend(view, name, now, room) for name in names]

    return Column(f"last {spoken(_span(view, now))}", [Text(" " * width)] * len(names), least=min(width, 14), drawn=drawn)


def _trend(view: RunView, name: str, now: datetime, width: int) -> Text:
    """The trend; for a probe that gives no answer, why, where there is room for it."""
    why = _reason(view, name)
    if why is not None and why.cell_len <= width:
        return why
    span = _span(view, now)
    count = max(min(width, int(span / view.plan.playbook.sampling.every)), 1)
    return spark(_bridged(list(view.probes.get(name, NO_SAMPLE).slots(now, span, count))), view.judge)


def _bridged(slots: list[list[Sample]]) -> list[list[Sample]]:
    """A single empty slot between two others is no gap: samples do not come to the millisecond."""
    last = len(slots) - 1
    return [slots[place - 1] if not slot and 0 < place < last and slots[place + 1] else slot for place, slot in enumerate(slots)]


def _reason(view: RunView, name: str) -> Text | None:
    """Why a probe is not known now; None when it is."""
    found = view.probes.get(name, NO_SAMPLE)
    if found.sample is None or found.sample.unknown is None:
        return None
    unknown, of = found.unknown_lately
    return Text(f"{found.sample.unknown} ({unknown} of the last {of})", style="yellow")


def spark(slots: Sequence[Sequence[Sample]], judge: Callable[[Sample], Verdict | None]) -> Text:
    """A trend in one row, from 0 to its own highest: the worst sample of each slot, red where steady state did not hold, `?` for unknown."""
    top = max((abs(sample.value) for slot in slots for sample in slot if sample.value is not None), default=0.0)
    text = Text()
    for slot in slots:
        known = [sample for sample in slot if sample.value is not None]
        if not known:
            text.append("?" if slot else " ", style="yellow")
            continue
        bad = [sample for sample in known if judge(sample) is Verdict.BAD]
        value = max(abs(sample.value or 0.0) for sample in bad or known)
        text.append(BARS[min(int(value / top * len(BARS)), len(BARS) - 1)] if top else BARS[0], style="red" if bad else "cyan")
    return text
