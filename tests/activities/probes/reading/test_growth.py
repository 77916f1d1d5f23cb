"""Growth of counters over a window: resets, births, and what falls out of it."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from activities.probes.reading.growth import Growth, Labels


def series(**values: float) -> dict[Labels, float]:
    return {frozenset({("code", code)}): value for code, value in values.items()}


def test_one_scrape_shows_no_growth() -> None:
    growth = Growth(10)
    growth.add(0, series(a=500))
    assert (growth.seconds, growth.total()) == (0, 0)


def test_series_are_summed() -> None:
    growth = Growth(10)
    growth.add(0, series(a=500, b=7))
    growth.add(4, series(a=503, b=17))
    assert (growth.seconds, growth.total()) == (4, 13)


def test_a_counter_that_fell_began_again_at_zero() -> None:
    growth = Growth(10)
    for at, value in enumerate([100, 110, 3, 5]):
        growth.add(at, series(a=value))
    assert growth.total() == 10 + 3 + 2


def test_a_series_that_was_not_there_began_at_zero() -> None:
    growth = Growth(10)
    growth.add(0, series(a=100))
    growth.add(1, series(a=100, b=4))
    assert growth.total() == 4


def test_a_series_that_goes_takes_nothing_back() -> None:
    growth = Growth(10)
    growth.add(0, series(a=100, b=5))
    growth.add(1, series(a=101, b=6))
    growth.add(2, series(a=102))
    assert growth.total() == 3


def test_what_is_older_than_the_window_is_forgotten() -> None:
    growth = Growth(3)
    for at, value in enumerate([0, 100, 101, 102, 103]):
        growth.add(at, series(a=value))
    assert (growth.seconds, growth.total()) == (3, 3)


def test_a_gap_longer_than_the_window_begins_anew() -> None:
    growth = Growth(3)
    growth.add(0, series(a=0))
    growth.add(1, series(a=1))
    growth.add(60, series(a=500))
    assert (growth.seconds, growth.total()) == (0, 0)
    growth.add(61, series(a=502))
    assert (growth.seconds, growth.total()) == (1, 2)


def test_buckets_are_summed_by_their_bound() -> None:
    def buckets(*counts: tuple[str, str, float]) -> dict[Labels, float]:
        return {frozenset({("le", le), ("path", path)}): count for le, path, count in counts}

    growth = Growth(10)
    growth.add(0, buckets(("0.1", "/a", 1), ("+Inf", "/a", 2), ("0.10", "/b", 0), ("+Inf", "/b", 0)))
    growth.add(1, buckets(("0.1", "/a", 2), ("+Inf", "/a", 4), ("0.10", "/b", 5), ("+Inf", "/b", 9)))
    assert growth.by_bucket() == {0.1: 6, math.inf: 11}


@given(st.lists(st.lists(st.integers(0, 1000), max_size=20), min_size=1, max_size=5))
def test_growth_is_what_was_counted_whatever_restarts(lives: list[list[int]]) -> None:
    """Each life of the service counts up from 0; a scrape sees it after each addition, and first at 0."""
    growth = Growth(1000)
    at = 0
    for life in lives:
        value = 0
        growth.add(at, series(a=0))
        for added in life:
            value, at = value + added, at + 1
            growth.add(at, series(a=value))
        at += 1
    assert growth.total() == sum(map(sum, lives))
