"""Metrics pages: whatever is on them, the answer is series or a reason. What they read as is tested in test_openmetrics.py."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from activities.probes.probe import Unknown
from activities.probes.reading.exposition import Selector, read

PIECES = [
    "x_total",
    "x",
    "# TYPE",
    "# HELP",
    "# EOF",
    "counter",
    "histogram",
    "{",
    "}",
    'le="1"',
    "le=",
    '"',
    "\\",
    ",",
    " ",
    "\n",
    "1",
    "-2",
    "NaN",
    "#",
]


@pytest.mark.parametrize("content_type", ["text/plain", "application/openmetrics-text"])
@given(body=st.one_of(st.binary(max_size=200), st.lists(st.sampled_from(PIECES), max_size=40).map(lambda pieces: "".join(pieces).encode())))
def test_any_page_is_series_or_a_reason(content_type: str, body: bytes) -> None:
    for metric in ("x_total", "x_bucket"):
        with contextlib.suppress(Unknown):
            read(body, content_type, Selector(metric))


def test_other_metrics_of_the_page_do_not_matter() -> None:
    page = b"junk without a value\n# TYPE x counter\nx_total 3\n# TYPE bad\nbad{ 1\n# EOF\n"
    for content_type in ("text/plain", "application/openmetrics-text"):
        assert read(page, content_type, Selector("x_total")).values == {frozenset(): 3.0}


def test_a_long_type_of_content_and_long_labels_make_a_short_reason() -> None:
    with pytest.raises(Unknown) as raised:
        read(b"", "text/" + "x" * 10_000, Selector("m" * 150))
    assert len(str(raised.value)) <= 300
    with pytest.raises(Unknown) as raised:
        read(b'm{a="1"} 1\n', "text/plain", Selector("m", frozenset({("a", "v" * 200), ("b" * 80, "")})))
    assert len(str(raised.value)) <= 300
