"""Pictures of measurements, as SVG. What they show is decided in `picture` and `axes`; here it is drawn.

The same record gives the same bytes: no date, no random ids. Text stays text. Colours are those of Okabe and Ito, and each has its words beside it.
Importing this module imports matplotlib: do it where a picture is drawn.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from xml.sax.saxutils import quoteattr

import matplotlib
import matplotlib.image
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gameday.units import clock
from reports.axes import Scale, apart, rows, scale, spread, time_ticks
from reports.picture import Band, Level, Mark, Picture, Point
from reports.words import counted, signed

_PX = 1 / 96
"""One CSS pixel in inches."""

_WIDTH, _LEFT, _RIGHT, _TOP, _BOTTOM = 900, 62, 150, 30, 46
_PLOT, _ROW, _CHARACTER = 220, 20, 6.6
_MOST_FAULTS, _DOTS = 6, 90

_INK, _QUIET, _MUTED, _GRID, _DATA, _FAULT = "#1f2933", "#5b6770", "#9aa5ad", "#e3e7ea", "#0072b2", "#e69f00"
_BAR = "#fbe3b5"
_PLATE = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.0}
"""What lies under words, so that they can be read. (A halo would turn the words into outlines.)"""
_PHASES = {"pre-check": "#eef2f5", "inject": "#d9dfe4", "observe": "#fdf3e1", "recover": "#e6f4ec", "analyze": "#f1eef6"}
_LEVELS = {
    "baseline": (_QUIET, (0, (1, 2))),
    "steady": ("#00795a", (0, (6, 3))),
    "expected": ("#9b3d78", (0, (3, 2))),
    "guardrail": ("#c04a00", (0, (8, 2, 2, 2))),
}
_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "gameday",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "text.parse_math": False,
    "axes.unicode_minus": True,
    "hatch.linewidth": 0.6,
}


def draw(picture: Picture, description: str) -> str:
    """The picture as an SVG document.

    Args:
        picture: what to show.
        description: the same in a sentence, for those who cannot see it.
    """
    with matplotlib.rc_context(_STYLE):
        figure = _figure(picture)
        svg = io.StringIO()
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": "gameday", "Title": picture.title})
    return svg.getvalue().replace("<svg ", f'<svg role="img" aria-label={quoteattr(description)} ', 1)


def png(pictures: Sequence[Picture]) -> bytes:
    """Several pictures below each other, as one PNG."""
    with matplotlib.rc_context(_STYLE):
        drawn = [_pixels(_figure(picture), picture.title) for picture in pictures]
    wide = max(each.shape[1] for each in drawn)
    padded = [np.pad(each, ((0, 0), (0, wide - each.shape[1]), (0, 0)), constant_values=255) for each in drawn]
    out = io.BytesIO()
    matplotlib.image.imsave(out, np.vstack(padded), format="png")
    return out.getvalue()


def _pixels(figure: Figure, title: str) -> NDArray[np.uint8]:
    figure.suptitle(title, x=0.01, y=0.99, ha="left", va="top", fontsize=10, color=_INK)
    canvas = FigureCanvasAgg(figure)
    figure.set_dpi(160)
    canvas.draw()  # type: ignore[no-untyped-call]
    return np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]


def _figure(picture: Picture) -> Figure:
    per_second = (_WIDTH - _LEFT - _RIGHT) / (picture.end - picture.start)
    mark_rows = rows([_label_span(mark, picture, per_second) for mark in picture.marks])
    lanes = [1, min(len(picture.faults), _MOST_FAULTS + 1), max(mark_rows, default=-1) + 1]
    strip = sum(lanes) * _ROW
    height = _TOP + strip + _PLOT + _BOTTOM
    figure = Figure(figsize=(_WIDTH * _PX, height * _PX), facecolor="white")
    across = (_LEFT / _WIDTH, (_WIDTH - _LEFT - _RIGHT) / _WIDTH)
    plot = figure.add_axes((across[0], _BOTTOM / height, across[1], _PLOT / height))
    head = figure.add_axes((across[0], (_BOTTOM + _PLOT) / height, across[1], strip / height))
    for axes in (plot, head):
        axes.set_xlim(picture.start, picture.end)
    figure.text(_LEFT / _WIDTH, 1 - 8 / height, picture.title, weight="bold", size=11, color=_INK, va="top")
    _draw_head(head, picture, mark_rows, lanes, per_second)
    _draw_plot(plot, picture, scale(picture), per_second)
    return figure


def _label_span(mark: Mark, picture: Picture, per_second: float) -> tuple[float, float]:
    """Where the label of a mark stands: right of its line, or left of it where the sheet ends."""
    width = (len(mark.label) * _CHARACTER + 8) / per_second
    return (mark.at, mark.at + width) if mark.at + width <= picture.end + _RIGHT / per_second else (mark.at - width, mark.at)


def _draw_head(axes: Axes, picture: Picture, mark_rows: list[int], lanes: list[int], per_second: float) -> None:
    """Above the plot: the phases, a bar for each fault, and the names of the marks."""
    axes.set_ylim(sum(lanes), 0)
    axes.axis("off")
    for band in picture.phases:
        axes.broken_barh([(band.start, band.end - band.start)], (0.05, 0.9), facecolor=_PHASES.get(band.name, "#eeeeee"), edgecolor="white")
        if len(band.name) * _CHARACTER < (band.end - band.start) * per_second:
            axes.text((band.start + band.end) / 2, 0.5, band.name, ha="center", va="center", color=_INK)
    for row, band in enumerate(picture.faults[:_MOST_FAULTS], start=lanes[0]):
        _draw_fault(axes, band, row, picture, per_second)
    if len(picture.faults) > _MOST_FAULTS:
        more = f"and {len(picture.faults) - _MOST_FAULTS} more, see the table of faults"
        axes.text(max(0.0, picture.start), lanes[0] + _MOST_FAULTS + 0.5, more, va="center", color=_QUIET)
    for mark, row in zip(picture.marks, mark_rows, strict=True):
        y = lanes[0] + lanes[1] + row
        axes.plot([mark.at, mark.at], [y + 0.15, sum(lanes)], color=_INK, linewidth=0.8)
        left = _label_span(mark, picture, per_second)[0] < mark.at
        shift, align = ((-3, 0), "right") if left else ((3, 0), "left")
        axes.annotate(mark.label, (mark.at, y + 0.5), shift, textcoords="offset points", ha=align, va="center", color=_INK)


def _draw_fault(axes: Axes, band: Band, row: int, picture: Picture, per_second: float) -> None:
    """A hatched bar with the fault's name in it, or beside it where it does not fit."""
    axes.broken_barh([(band.start, band.end - band.start)], (row + 0.12, 0.76), facecolor=_BAR, edgecolor=_FAULT, hatch="////", linewidth=0.8)
    name = f"{band.name}, end not recorded" if band.open else band.name
    inside = len(name) * _CHARACTER + 12 < (band.end - band.start) * per_second
    after = inside or (picture.end - band.end) * per_second > len(name) * _CHARACTER
    x, align, shift = (band.start, "left", 5) if inside else (band.end, "left", 4) if after else (band.start, "right", -4)
    plate = _PLATE | {"facecolor": _BAR if inside else "white"}
    axes.annotate(name, (x, row + 0.5), (shift, 0), textcoords="offset points", ha=align, va="center", color=_INK, bbox=plate)


def _draw_plot(axes: Axes, picture: Picture, limits: Scale, per_second: float) -> None:
    axes.set_ylim(limits.low, limits.high)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_QUIET)
    axes.tick_params(length=0, colors=_QUIET, labelcolor=_INK)
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.locator_params(axis="y", nbins=6)
    ticks = time_ticks(picture.start, picture.end)
    axes.set_xticks(ticks, [_offset(tick) for tick in ticks])
    axes.set_xlabel("since inject (m:ss)" if picture.marks else "since the scenario began (m:ss)", color=_QUIET, loc="left")
    for band in picture.phases:
        axes.axvspan(band.start, band.end, facecolor=_PHASES.get(band.name, "#eeeeee"), alpha=0.55, zorder=0, linewidth=0)
    for mark in picture.marks:
        axes.axvline(mark.at, color=_INK, linewidth=0.8, zorder=2)
    _draw_samples(axes, picture, limits)
    _draw_unknown(axes, picture, per_second)
    _draw_levels(axes, limits)


def _offset(seconds: int) -> str:
    return clock(timedelta()) if seconds == 0 else signed(timedelta(seconds=seconds)).replace("-", "−")


def _draw_samples(axes: Axes, picture: Picture, limits: Scale) -> None:
    points = len(picture.points)
    for line in picture.lines:
        xs, ys = zip(*line, strict=True)
        dot = "o" if points <= _DOTS or len(line) == 1 else ""
        axes.plot(xs, ys, color=_DATA, linewidth=1.6 if points < 500 else 0.9, marker=dot, markersize=2.6, zorder=4, solid_joinstyle="round")
    if not points:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "no sample is known", transform=axes.transAxes, ha="center", color=_QUIET, size=11)
    for x, value in limits.cut:
        axes.plot([x], [0.98], "^", transform=axes.get_xaxis_transform(), color=_DATA, markersize=6, zorder=5, clip_on=False)
        _write(axes, f"{value:,.4g} {picture.unit}", (x, limits.high), (7, -6), "left")
    if picture.worst and picture.worst[0] not in limits.cut:
        _draw_worst(axes, picture, *picture.worst)


def _draw_worst(axes: Axes, picture: Picture, point: Point, label: str) -> None:
    values = sorted(value for _, value in picture.points)
    down = point[1] < values[len(values) // 2]
    left = point[0] > picture.start + 0.8 * (picture.end - picture.start)
    axes.plot(*([each] for each in point), "o", markersize=5, markerfacecolor="white", markeredgecolor=_DATA, markeredgewidth=1.5, zorder=6)
    _write(axes, f"worst {label}", point, (-7 if left else 7, -14 if down else 5), "right" if left else "left")


def _write(axes: Axes, text: str, point: Point, shift: tuple[float, float], align: str) -> None:
    """Words on the picture, readable over whatever lies below."""
    axes.annotate(text, point, shift, textcoords="offset points", color=_DATA, ha=align, zorder=7, bbox=_PLATE)


def _draw_unknown(axes: Axes, picture: Picture, per_second: float) -> None:
    """What was not measured, at the bottom: a cross for an unknown sample, a bar for a stretch without samples."""
    bottom = axes.get_xaxis_transform()
    for start, end in picture.gaps:
        axes.plot([start, end], [0.03, 0.03], transform=bottom, color=_MUTED, linewidth=3, solid_capstyle="butt", zorder=3)
    crosses = apart(picture.unknown, 3 / per_second)
    if crosses:
        axes.plot(crosses, [0.03] * len(crosses), "x", transform=bottom, color=_QUIET, markersize=4, zorder=5)
    said = [f"× {counted(len(picture.unknown), 'unknown sample')}"] if crosses else []
    said += [f"▬ {counted(len(picture.gaps), 'gap')} without samples"] if picture.gaps else []
    if said:
        axes.annotate(
            "    ".join(said), (1, 0), (0, -20), xycoords="axes fraction", textcoords="offset points", color=_QUIET, ha="right", va="center"
        )


def _draw_levels(axes: Axes, limits: Scale) -> None:
    """The lines, and their names at the right edge, moved apart where they would cover each other."""
    for level in limits.inside:
        colour, dashes = _LEVELS[level.kind]
        axes.axhline(level.value, color=colour, linestyle=dashes, linewidth=1.3, zorder=3)
    span = limits.high - limits.low
    placed = [((level.value - limits.low) / span, level, "") for level in limits.inside]
    placed = sorted([*placed, *((_edge(level, limits), level, _arrow(level, limits)) for level in limits.outside)], key=lambda item: item[0])
    heights = [(14 * (level.label.count("\n") + 1) + 3) / _PLOT for _, level, _ in placed]
    for (wanted, level, arrow), centre in zip(placed, spread([item[0] for item in placed], heights), strict=True):
        colour, dashes = _LEVELS[level.kind]
        axes.plot([1.0, 1.012], [wanted, centre], transform=axes.transAxes, color=colour, linewidth=0.8, clip_on=False)
        axes.text(1.02, centre, arrow + level.label, transform=axes.transAxes, color=colour, va="center", linespacing=1.15)


def _edge(level: Level, limits: Scale) -> float:
    return 1.0 if level.value > limits.high else 0.0


def _arrow(level: Level, limits: Scale) -> str:
    return "↑ " if level.value > limits.high else "↓ "
