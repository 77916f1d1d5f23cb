"""Whatever somebody does to a playbook: it loads, or is refused with a message that has a place. Never an exception of another kind."""

from __future__ import annotations

import json

from hypothesis import example, given, settings
from hypothesis import strategies as st

from gameday.catalogue import Catalogue
from gameday.errors import PlaybookError
from gameday.loading import Loaded, loads
from gameday.yaml_tree import Problem

pieces = st.sampled_from(
    [
        "{",
        "}",
        "[",
        "]",
        ": ",
        "- ",
        "'",
        '"',
        "\n",
        "  ",
        "*a",
        "&a ",
        "!x ",
        "<<: ",
        "null",
        "5",
        "1.5",
        "x",
        "${x}",
        "${",
        "\t",
        "\x00",
        "\u202e",
        "#",
        "|",
        "---\n",
    ]
)


@st.composite
def mutations(draw: st.DrawFn) -> list[tuple[str, float, float, str]]:
    where = st.floats(0, 1, exclude_max=True)
    steps = st.tuples(st.sampled_from(["delete", "insert", "duplicate", "move"]), where, where, pieces)
    return draw(st.lists(steps, min_size=1, max_size=6))


def mutated(text: str, steps: list[tuple[str, float, float, str]]) -> str:
    for what, first, second, piece in steps:
        start, length = int(first * len(text)), int(second**3 * 60)
        chunk = text[start : start + length]
        if what == "delete":
            text = text[:start] + text[start + length :]
        elif what == "insert":
            text = text[:start] + piece + text[start:]
        elif what == "duplicate":
            text = text[:start] + chunk + text[start:]
        else:
            there = int(second * len(text))
            text = text[:there] + chunk + text[there:]
    return text


@given(steps=mutations(), moved=st.booleans())
@settings(max_examples=400, deadline=None)
@example(steps=[("delete", 0.0, 0.0, "x")], moved=False)
def test_whatever_is_done_to_a_playbook_it_loads_or_says_why_not(
    steps: list[tuple[str, float, float, str]], moved: bool, good: str, small: str, catalogue: Catalogue
) -> None:
    text = mutated(small if moved else good, steps)
    lines = text.count("\n") + 1
    try:
        assert isinstance(loads(text.encode(), catalogue), Loaded)
    except PlaybookError as error:
        assert error.problems
        for problem in error.problems:
            assert isinstance(problem, Problem) and problem.message
            assert 1 <= problem.line <= lines + 1 and problem.column >= 1
            assert (problem.field + problem.message + problem.expected).isprintable()


yaml_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
KEYS = [
    "name",
    "times",
    "team",
    "checklist",
    "variables",
    "probes",
    "alerts",
    "steady_state",
    "abort_when",
    "gates",
    "blast_radius",
    "sampling",
    "scenarios",
]


@given(key=st.sampled_from(KEYS), value=yaml_values)
@settings(max_examples=150, deadline=None)
def test_any_value_at_any_key_is_loaded_or_explained(key: str, value: object, good: str, catalogue: Catalogue) -> None:
    others = [line for line in good.splitlines() if not line.startswith(key)]
    text = "\n".join([f"{key}: {json.dumps(value)}", *others])
    try:
        loads(text.encode(), catalogue)
    except PlaybookError as error:
        assert error.problems
