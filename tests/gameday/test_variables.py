"""Variables: filled in as data whatever they look like, never into each other, and reported where they are wrong."""

from __future__ import annotations

import pytest

from gameday.catalogue import Catalogue
from gameday.errors import PlaybookError
from gameday.language import Guardrail
from gameday.loading import loads
from gameday.yaml_tree import Problem
from tests.gameday.mistakes import Problems, changed, placed

VARIABLES = """\
name: small
objective: Does ${what} hold?
variables:
  what: {default: the shop}
  delay: {default: 100ms, about: how slow}
  loss: {default: 2}
  limit: {}
probes: {errors: {prometheus: {query: up, unit: ratio}}}
abort_when: ['errors > ${limit} %']
hypothesis: It holds
faults: [{name: slow, inject: network.latency, with: {delay: '${delay}', loss_percent: '${loss}'}}]
expect: ['errors < 1 %']
"""


def test_variables_are_filled_in(catalogue: Catalogue) -> None:
    playbook = loads(VARIABLES.encode(), catalogue, {"limit": "7", "delay": "2s"}).playbook
    assert playbook.objective == "Does the shop hold?"
    assert playbook.abort_when == (Guardrail.parse("errors > 7 %"),)
    assert playbook.scenarios[0].faults[0].with_ == {"delay": "2s", "loss_percent": 2}


@pytest.mark.parametrize("value", ["a: [b", "{x: 1}", "&a *b", "${what}", "- x", "!!python/name:os.system", "'", "x: ${limit}", "$(id)"])
def test_a_value_stays_data_whatever_it_looks_like(value: str, catalogue: Catalogue) -> None:
    assert loads(VARIABLES.encode(), catalogue, {"limit": "7", "what": value}).playbook.objective == f"Does {value} hold?"


def test_a_variable_without_a_value_is_reported_once() -> None:
    with pytest.raises(PlaybookError) as caught:
        loads(VARIABLES.encode(), Catalogue())
    places = [(each.line, each.field) for each in caught.value.problems if isinstance(each, Problem)]
    assert (7, "variables.limit") in places and (9, "abort_when[0]") not in places


def test_wrong_variables_are_reported(problems: Problems) -> None:
    text = changed(VARIABLES, ("Does ${what} hold?", "Does ${waht} ${Delay} hold ${}?"))
    assert placed(problems(text, limit="7", nope="1", loss="x" * 2001)) == [
        (2, 12, "objective", "there is no variable 'waht'", "did you mean 'what'?"),
        (2, 12, "objective", "there is no variable 'Delay'", "did you mean 'delay'?"),
        (2, 12, "objective", "there is no variable ''", "one of delay, limit, loss, what"),
        (4, 3, "variables", "--set nope: there is no such variable", "one of delay, limit, loss, what"),
        (4, 9, "variables.what", "the variable 'what' is never used", "'${what}' somewhere, or no such variable"),
        (6, 9, "variables.loss", "the value given for 'loss' is too long", "at most 2000 characters"),
    ]


def test_variables_are_not_filled_into_each_other(problems: Problems) -> None:
    text = changed(VARIABLES, ("{default: 100ms, about: how slow}", "{default: 100ms, about: 'as ${nobody} said'}"))
    assert problems(text, limit="7") == ()


def test_a_wrong_value_is_reported_at_the_place_where_it_is_used(problems: Problems) -> None:
    assert placed(problems(VARIABLES, limit="7 pct")) == [
        (9, 14, "abort_when[0]", "'pct' is not a unit", "one of %, ms, s, m, h, B, KiB, MiB, GiB, /s, or 'x baseline'")
    ]


def test_variables_cannot_blow_a_playbook_up(problems: Problems) -> None:
    text = changed(VARIABLES, ("expect:", "cards: [" + "{at: 1s, say: '${what}'}, " * 5000 + "]\nexpect:"))
    assert placed(problems(text, limit="7", what="x" * 2000)) == [
        (1, 1, "variables", "the playbook becomes too large with its variables filled in", "shorter values")
    ]
