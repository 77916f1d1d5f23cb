"""Pictures: what is drawn, what is never drawn, and that the same record gives the same bytes."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable
from datetime import datetime
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gameday.probe import Sample
from gameday.record import RunRecord
from reports.axes import apart, rows, scale, spread, time_ticks
from reports.charts import draw
from reports.picture import Band, Level, Mark, Picture, Point, describe, picture
from reports.story import Story


def shown(record: RunRecord, probe: str = "errors", scenario: int = 0) -> Picture:
    found = picture(Story(record, scenario), probe)
    assert found is not None
    return found


def blank(**changes: Any) -> Picture:
    """A minute of flat samples and nothing else."""
    flat = (tuple((float(second), 1.0) for second in range(60)),)
    empty = {"unknown": (), "gaps": (), "phases": (), "faults": (), "levels": (), "marks": (), "worst": None}
    return Picture(**({"title": "errors (%)", "unit": "%", "start": 0.0, "end": 60.0, "lines": flat} | empty | changes))


def words(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_times_count_from_inject_and_values_are_in_the_best_unit(day: RunRecord) -> None:
    errors, latency = shown(day), shown(day, "latency_p99")
    assert (errors.title, latency.title) == ("errors (%)", "latency p99 (ms)")
    assert (errors.start, errors.end) == (-60.0, 95.0)
    assert errors.worst == ((9.0, pytest.approx(0.62)), "0.62 %")
    assert max(value for _, value in latency.points) == pytest.approx(112.0)


def test_phases_faults_and_clocks_are_there_with_their_names(day: RunRecord) -> None:
    errors = shown(day)
    assert errors.phases == (
        Band("pre-check", -60.0, -1.0),
        Band("inject", -1.0, 0.1),
        Band("observe", 0.1, 77.0),
        Band("recover", 77.0, 95.0),
    )
    assert errors.faults == (Band("ledger-frozen", 0.0, 77.041),)
    assert errors.marks == (Mark("inject", 0.0), Mark("detected +0:23", 23.0), Mark("mitigated +1:12", 72.0), Mark("recovered +1:18", 78.0))
    assert Mark("aborted +0:06", 6.0) in shown(day, "errors", 1).marks


def test_relative_tolerances_are_resolved_by_the_baseline(day: RunRecord) -> None:
    levels = {level.label: level.value for level in shown(day, "latency_p99").levels}
    assert levels == {"baseline 40 ms": pytest.approx(40.0), "steady < 60 ms": pytest.approx(60.0)}
    levels = {level.label: level.value for level in shown(day).levels}
    assert levels == {
        "baseline 0.01 %": pytest.approx(0.01),
        "steady < 0.1 %": pytest.approx(0.1),
        "expected < 1 %": pytest.approx(1.0),
        "abort > 5 %\nin 3 of 5 samples": pytest.approx(5.0),
    }


def test_a_counter_is_drawn_as_its_increase_since_the_day_opened(day: RunRecord) -> None:
    failed = shown(day, "failed_requests", 1)
    assert failed.title == "failed requests in total today"
    assert (failed.points[0][1], failed.points[-1][1]) == (41.0, 101.0)
    assert [(level.label, level.value) for level in failed.levels] == [("abort > 500\nin total", 500.0)]


def test_nothing_is_drawn_across_an_unknown_sample(day: RunRecord) -> None:
    latency = shown(day, "latency_p99")
    assert latency.unknown == (30.0, 31.0, 32.0)
    assert [(line[0][0], line[-1][0]) for line in latency.lines] == [(-60.0, 29.0), (33.0, 94.0)]


def test_nothing_is_drawn_across_a_gap(day: RunRecord) -> None:
    def silent(sample: Sample) -> bool:
        return 100 <= (sample.at - datetime.fromisoformat("2026-06-18T12:29:05+00:00")).total_seconds() < 110

    errors = shown(dataclasses.replace(day, samples=tuple(sample for sample in day.samples if not silent(sample))))
    assert errors.gaps == ((39.0, 50.0),)
    assert [(line[0][0], line[-1][0]) for line in errors.lines] == [(-60.0, 39.0), (50.0, 94.0)]


def test_a_fault_without_an_end_says_so(killed: RunRecord) -> None:
    found = shown(killed, "errors", 1)
    assert [(band.name, band.open) for band in found.faults] == [("ledger-slow", True)]
    assert "ledger-slow, end not recorded" in words(draw(found, ""))


def test_many_samples_are_thinned_and_keep_the_worst() -> None:
    thick = tuple((second / 10, 5.0 if second == 12_345 else 1.0) for second in range(20_000))
    from reports.picture import _thin  # the only private name: what it keeps is a promise

    kept = _thin(list(thick))
    assert len(kept) <= 1500
    assert max(value for _, value in kept) == 5.0
    assert list(kept) == sorted(kept)


def test_an_outlier_does_not_flatten_the_others() -> None:
    line = tuple((float(second), 90.0 if second == 30 else 0.2 + second % 5 / 50) for second in range(60))
    limits = scale(blank(lines=(line,)))
    assert limits.high < 1.0
    assert limits.cut == ((30.0, 90.0),)
    assert "90 %" in words(draw(blank(lines=(line,)), ""))


def test_a_long_bad_stretch_is_no_outlier() -> None:
    line = tuple((float(second), 8.0 if second > 40 else 0.01) for second in range(60))
    assert scale(blank(lines=(line,))).cut == ()
    assert scale(blank(lines=(line,))).high > 8.0


def test_levels_near_the_samples_are_shown_and_far_ones_named_at_the_edge() -> None:
    steady, near, far = Level("steady", "steady < 10 %", 10.0), Level("guardrail", "abort > 2 %", 2.0), Level("guardrail", "abort > 90 %", 90.0)
    limits = scale(blank(levels=(steady, near, far)))
    assert (limits.inside, limits.outside) == ((steady, near), (far,))
    assert "↑ abort > 90 %" in words(draw(blank(levels=(far,)), ""))


def test_ticks_are_round_and_include_zero() -> None:
    assert time_ticks(-62.0, 95.0) == [-60, -45, -30, -15, 0, 15, 30, 45, 60, 75, 90]
    assert time_ticks(0.0, 7000.0) == [0, 900, 1800, 2700, 3600, 4500, 5400, 6300]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=8).map(sorted))
def test_labels_never_cover_each_other(wanted: list[float]) -> None:
    placed = spread(wanted, [0.1] * len(wanted))
    assert all(high - low >= 0.1 - 1e-9 for low, high in itertools.pairwise(placed))
    assert placed[0] >= 0.05 - 1e-9 and placed[-1] <= 0.95 + 1e-9


def test_marks_that_would_overlap_get_rows_of_their_own() -> None:
    assert rows([(0, 10), (5, 15), (12, 20), (14, 30)]) == [0, 1, 0, 2]
    assert apart([0.0, 1.0, 2.5, 3.0, 6.0], 2.0) == [0.0, 2.5, 6.0]


def test_the_picture_is_text_that_says_everything_in_words(day: RunRecord) -> None:
    svg = draw(shown(day, "latency_p99"), 'latency, in a sentence with <, & and "')
    told = words(svg)
    for word in ("latency p99 (ms)", "pre-check", "observe", "recover", "ledger-frozen", "inject", "detected +0:23", "mitigated +1:12"):
        assert word in told
    for word in ("recovered +1:18", "worst 112 ms", "steady < 60 ms", "baseline 40 ms", "× 3 unknown samples", "+0:15", "−0:30"):
        assert word in told
    root = ET.fromstring(svg)
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-label"] == 'latency, in a sentence with <, & and "'


def test_the_same_picture_gives_the_same_bytes_and_leaves_no_trace(day: RunRecord) -> None:
    before = dict(matplotlib.rcParams)
    svg = draw(shown(day), "errors")
    assert svg == draw(shown(day), "errors")
    assert dict(matplotlib.rcParams) == before
    assert "<dc:date>" not in svg


def test_the_alternative_text_is_one_sentence_of_facts(killed: RunRecord) -> None:
    assert (
        describe(Story(killed, 1), "errors")
        == "errors over scenario 2: baseline 0.01 %, worst 8 % at +0:04, 0 of 42 samples unknown, detected +0:05, aborted +0:06"
    )
    assert describe(Story(killed, 0), "failed_requests").startswith(
        "failed requests over scenario 1: 41 more while the fault was on, 0 of 152 samples"
    )


POINT: Point = (3.0, 2.0)


@pytest.mark.parametrize(
    "changes",
    [
        {"lines": ((POINT,),), "worst": (POINT, "2 %")},
        {"lines": (), "unknown": tuple(float(second) for second in range(60))},
        {"lines": (((0.0, 0.0), (1.0, 0.0)),)},
        {"lines": (((0.0, -5.0), (1.0, -2.0)),), "levels": (Level("steady", "steady > 0", 0.0),)},
        {"lines": (((0.0, 1e12), (1.0, 2e12)),), "gaps": ((1.0, 60.0),)},
        {"faults": tuple(Band(f"fault-{number}", 0.0, 5.0) for number in range(50)), "marks": tuple(Mark("inject", float(n)) for n in range(9))},
        {"lines": (((0.0, 1.0), (1.0, 1.0)),), "levels": (Level("steady", "steady = 1", 1.0), Level("baseline", "baseline 1", 1.0))},
        {"start": -0.5, "end": 1.0, "phases": (Band("something new", 0.0, 0.2, True),)},
    ],
)
def test_odd_pictures_are_drawn_too(changes: dict[str, Any]) -> None:
    assert draw(blank(**changes), "odd").endswith("</svg>\n")


def test_a_probe_without_samples_has_no_picture(make_day: Callable[..., Any]) -> None:
    assert picture(Story(dataclasses.replace(make_day().record(), samples=()), 0), "errors") is None
