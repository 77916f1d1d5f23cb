"""From a file to a playbook, or to every problem at once, each with its place, what is wrong and what was expected."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gameday.catalogue import Catalogue
from gameday.errors import BadInput, PlaybookError
from gameday.language import Expectation, Guardrail, Prediction, Tolerance
from gameday.loading import MOST_PROBLEMS, Loaded, load, loads
from gameday.playbook import Afterwards, Card, Person, Target, Until
from gameday.yaml_tree import Problem

Problems = Callable[..., tuple[Problem, ...]]
Said = tuple[int, int, str, str, str]


def said(problems: tuple[Problem, ...]) -> list[Said]:
    return [(each.line, each.column, each.field, each.message, each.expected) for each in problems]


def changed(text: str, old: str, new: str) -> str:
    assert text.count(old) >= 1, old
    return text.replace(old, new, 1)


def test_the_example_of_the_design_loads_with_every_field(good: str, catalogue: Catalogue) -> None:
    loaded = loads(good.encode(), catalogue)
    playbook = loaded.playbook
    assert (loaded.warnings, loaded.text) == ((), good)
    assert (playbook.name, playbook.environment) == ("checkout-day-june", "staging")
    assert playbook.objective == "Can checkout live without its ledger, and do we notice?"
    assert (playbook.times.start, playbook.times.latest_inject, playbook.times.stop, playbook.times.zone) == (
        "14:00",
        "15:30",
        "16:00",
        "Europe/Berlin",
    )
    assert playbook.team.commander == Person(name="Ada", slack="U01")
    assert [person.name for _, person in playbook.team.members()] == ["Ada", "Margaret", "Grace", "Linus", "Edsger"]
    assert [(item.item, item.owner) for item in playbook.checklist] == [("Deploys frozen", "Ada"), ("Abort criteria read aloud", "Ada")]
    assert list(playbook.probes) == ["errors", "latency_p99", "failed_requests"]
    assert playbook.alerts is not None and playbook.alerts.source.alertmanager == {"url": "http://127.0.0.1:9093"}
    assert playbook.alerts.expected == ("LedgerDown",)
    assert playbook.steady_state == (Tolerance.parse("errors < 0.1 %"), Tolerance.parse("latency_p99 < 1.5 x baseline"))
    assert playbook.abort_when == (Guardrail.parse("errors > 5 % in 3 of 5 samples"), Guardrail.parse("failed_requests > 500 in total"))
    (scenario,) = playbook.scenarios
    assert (scenario.title, scenario.planned, scenario.sealed) == ("The ledger freezes", "14:15", True)
    (fault,) = scenario.faults
    assert (fault.name, fault.inject, fault.until) == ("ledger-frozen", "process.pause", Until.MITIGATED)
    assert (fault.on, fault.duration, fault.with_) == (Target(host="local", process="ledger"), timedelta(minutes=10), {})
    phrases = ("errors < 1 %", "alert LedgerDown within 60s", "mitigated within 5m", "recovered within 30s")
    assert scenario.expect == tuple(map(Expectation.parse, phrases))
    assert scenario.predict == tuple(map(Prediction.parse, ("first alert after", "worst errors", "who is paged")))
    assert scenario.cards == (Card(at=timedelta(minutes=4), say="Support: a customer was charged twice"),)
    assert scenario.rollback_plan == ("Restart the ledger", "Clear its connection pool")
    minute = timedelta(minutes=1)
    assert scenario.afterwards == Afterwards(steady_for=minute, debrief=10 * minute, break_=5 * minute)


def test_what_is_left_out_has_its_default(small: str, catalogue: Catalogue) -> None:
    playbook = loads(small.encode(), catalogue).playbook
    assert (playbook.environment, playbook.times.zone, playbook.gates.day) == ("local", "UTC", "off")
    assert playbook.scenarios[0].faults[0].on == Target(host="local")
    assert playbook.scenarios[0].faults[0].duration == timedelta(minutes=5)
    assert playbook.sampling.steady_samples == 5


def test_a_day_of_one_scenario_takes_its_title_from_the_objective(small: str, catalogue: Catalogue) -> None:
    (scenario,) = loads(small.encode(), catalogue).playbook.scenarios
    assert (scenario.title, scenario.hypothesis) == ("Does it hold?", "It holds")


def test_a_playbook_survives_its_way_through_json(good: str, catalogue: Catalogue) -> None:
    playbook = loads(good.encode(), catalogue).playbook
    assert type(playbook).model_validate_json(playbook.model_dump_json(by_alias=True)) == playbook


NAME = "lower-case letters, digits and dashes, at most 63, such as 'checkout-day'"
PROBE = "lower-case letters, digits and underscores, beginning with a letter, such as 'latency_p99'"
DURATION = "a number with its unit: ms, s, m or h, such as '90s' or '5m'"
KNOWN = "`gameday catalog` lists all"

WRONG_SHAPES: dict[str, tuple[str, str, list[Said]]] = {
    "an unknown key": (
        "objective:",
        "objektive:",
        [
            (1, 1, "playbook", "'objective' is missing", "what is to be learned, as a question in one line"),
            (2, 1, "objektive", "there is no key 'objektive' here", "did you mean 'objective'?"),
        ],
    ),
    "an unknown key further down": (
        "latest_inject:",
        "last_inject:",
        [(4, 25, "times.last_inject", "there is no key 'last_inject' here", "did you mean 'latest_inject'?")],
    ),
    "a python name in place of its key": (
        "for: 10m",
        "duration: 10m",
        [
            (
                28,
                90,
                "scenarios[0].faults[0].duration",
                "there is no key 'duration' here",
                "one of after, at, for, inject, name, on, until, with",
            )
        ],
    ),
    "a key of the day in a scenario": (
        "    sealed: true\n",
        "    sealed: true\n    gates: {day: off}\n",
        [(27, 5, "scenarios[0].gates", "there is no key 'gates' here", "'gates' at the top level, beside 'scenarios'")],
    ),
    "a key of a scenario in the day": (
        "scenarios:",
        "sealed: true\nscenarios:",
        [
            (
                22,
                1,
                "sealed",
                "there is no key 'sealed' here",
                "'sealed' inside a scenario (or a day without 'scenarios', of which it is the only one)",
            )
        ],
    ),
    "a parameter that is missing": (
        "query: 'sum(rate(http_errors_total[15s])) / sum(rate(http_requests_total[15s]))', ",
        "",
        [(16, 29, "probes.errors.prometheus", "'query' is missing", "a PromQL query, such as 'sum(rate(http_errors_total[1m]))'")],
    ),
    "a parameter that the kind does not have": (
        "for: 10m",
        "for: 10m, with: {x: 1}",
        [(28, 107, "scenarios[0].faults[0].with.x", "there is no key 'x' here", "no keys at all")],
    ),
    "a parameter out of bounds": (
        "quantile: 0.99",
        "quantile: 99",
        [(17, 118, "probes.latency_p99.openmetrics.quantile", "99 is too large", "less than 1")],
    ),
    "an unknown injector": (
        "process.pause",
        "proces.pause",
        [(28, 39, "scenarios[0].faults[0].inject", "there is no injector 'proces.pause'", f"did you mean 'process.pause'?  {KNOWN} 4")],
    ),
    "an unknown injector in other letters": (
        "process.pause",
        "PROCESS.PAUSE",
        [(28, 39, "scenarios[0].faults[0].inject", "there is no injector 'PROCESS.PAUSE'", f"did you mean 'process.pause'?  {KNOWN} 4")],
    ),
    "an unknown probe kind": (
        "{prometheus:",
        "{prometeus:",
        [(16, 17, "probes.errors.prometeus", "there is no probe 'prometeus'", f"did you mean 'prometheus'?  {KNOWN} 3")],
    ),
    "a unit that there is not": (
        "unit: ratio",
        "unit: percent",
        [
            (
                16,
                118,
                "probes.errors.prometheus.unit",
                "there is no unit 'percent'",
                "one of ratio, %, ms, s, m, h, B, KiB, MiB, GiB, /s, count",
            )
        ],
    ),
    "a name with a space": ("name: checkout-day-june", "name: Checkout day", [(1, 7, "name", "'Checkout day' does not fit here", NAME)]),
    "a name that is a path": ("name: checkout-day-june", "name: ../x", [(1, 7, "name", "'../x' does not fit here", NAME)]),
    "a name with a slash": ("name: checkout-day-june", "name: a/b", [(1, 7, "name", "'a/b' does not fit here", NAME)]),
    "a name that is a folder": ("name: checkout-day-june", "name: .", [(1, 7, "name", "'.' does not fit here", NAME)]),
    "a name of a device": ("name: checkout-day-june", "name: CON", [(1, 7, "name", "'CON' does not fit here", NAME)]),
    "a number where text is needed": ("name: checkout-day-june", "name: 12", [(1, 7, "name", "12 does not fit here", "text")]),
    "a host that is a path": (
        "host: local",
        "host: ../etc",
        [(28, 65, "scenarios[0].faults[0].on.host", "'../etc' does not fit here", "the name of a host: letters, digits, dots and dashes")],
    ),
    "a process that is a path": (
        "process: ledger",
        "process: ../../bin/sh",
        [
            (
                28,
                81,
                "scenarios[0].faults[0].on.process",
                "'../../bin/sh' does not fit here",
                "a name of letters, digits and _ . @ : -, at most 128",
            )
        ],
    ),
    "a probe named in other letters": (
        "  failed_requests: {",
        "  Failed-requests: {",
        [
            (18, 3, "probes.Failed-requests", "'Failed-requests' does not fit here", PROBE),
            (21, 50, "abort_when[1]", "there is no probe 'failed_requests'", "did you mean 'Failed-requests'?"),
        ],
    ),
    "a Slack name in place of the id": (
        "slack: U01",
        "slack: '@ada'",
        [
            (
                6,
                34,
                "team.commander.slack",
                "'@ada' does not fit here",
                "a Slack user id, such as 'U01ABCDEF' (in Slack: the person's profile, 'Copy member ID')",
            )
        ],
    ),
    "a person that is only a name": (
        "{name: Ada, slack: U01}",
        "Ada",
        [(6, 15, "team.commander", "'Ada' does not fit here", "a mapping, such as {name: …, slack: …}")],
    ),
    "a mapping where a list is needed": (
        "[{name: Linus, slack: U03}]",
        "{name: Linus, slack: U03}",
        [(9, 15, "team.responders", "a mapping does not fit here", "a list, such as [{…}]")],
    ),
    "one phrase where a list is needed": (
        "['errors < 0.1 %', 'latency_p99 < 1.5 x baseline']",
        "errors < 0.1 %",
        [(20, 15, "steady_state", "'errors < 0.1 %' does not fit here", "a list, such as ['errors < 0.1 %']")],
    ),
    "nothing where a list is needed": (
        "['errors < 0.1 %', 'latency_p99 < 1.5 x baseline']",
        "",
        [
            (20, 14, "steady_state", "an empty value does not fit here", "a list, such as [one, two]"),
            (28, 107, "scenarios[0].faults[0].until", "'until: mitigated' needs a steady state to come back to", "a 'steady_state' list"),
            (
                29,
                61,
                "scenarios[0].expect[2]",
                "'mitigated' means steady state again, and no steady_state is declared",
                "a 'steady_state' list",
            ),
            (
                29,
                84,
                "scenarios[0].expect[3]",
                "'recovered' means steady state again, and no steady_state is declared",
                "a 'steady_state' list",
            ),
        ],
    ),
    "a mapping where a phrase is needed": (
        "'errors < 0.1 %'",
        "{errors: 0.1}",
        [(20, 16, "steady_state[0]", "a phrase is text", "text, such as 'errors < 1 %'")],
    ),
    "a wrong phrase, with the column inside its quotes": (
        "'errors < 0.1 %'",
        "'errors < 0.1 pct'",
        [(20, 30, "steady_state[0]", "'pct' is not a unit", "one of %, ms, s, m, h, B, KiB, MiB, GiB, /s, or 'x baseline'")],
    ),
    "a time without its unit": (
        "for: 10m",
        "for: 10",
        [(28, 95, "scenarios[0].faults[0].for", "10 has no unit", DURATION)],
    ),
    "a time in words": (
        "for: 10m",
        "for: 10 minutes",
        [(28, 95, "scenarios[0].faults[0].for", "'10 minutes' is not a duration", DURATION)],
    ),
    "a list for a time": ("for: 10m", "for: [10m]", [(28, 95, "scenarios[0].faults[0].for", "this is not a duration", DURATION)]),
    "no time at all": ("for: 10m", "for: 0s", [(28, 95, "scenarios[0].faults[0].for", "'0s' is too small", "more than 0s")]),
    "a longer time than there is": (
        "for: 10m",
        "for: 169h",
        [(28, 95, "scenarios[0].faults[0].for", "'169h' is longer than a week", "at most 168h")],
    ),
    "a word that is none of the choices": (
        "until: mitigated",
        "until: fixed",
        [(28, 107, "scenarios[0].faults[0].until", "'fixed' does not fit here", "'mitigated' or 'detected'")],
    ),
    "neither a gate nor off": (
        "scenarios:",
        "gates: {day: on}\nscenarios:",
        [(22, 14, "gates.day", "'on' does not fit here", "a mapping, such as {timeout: …, ready: …} or 'off'")],
    ),
    "a mistake inside a gate": (
        "scenarios:",
        "gates: {day: {timout: 5m}}\nscenarios:",
        [(22, 15, "gates.day.timout", "there is no key 'timout' here", "did you mean 'timeout'?")],
    ),
    "neither a number nor a share": (
        "{host: local, process: ledger}",
        "{hosts: {app: ledger}, process: ledger, count: 0 %}",
        [(28, 105, "scenarios[0].faults[0].on.count", "'0 %' does not fit here", "a share such as '30 %' or a whole number")],
    ),
    "too often": (
        "scenarios:",
        "sampling: {every: 10ms}\nscenarios:",
        [(22, 19, "sampling.every", "'10ms' is too small", "at least 100ms")],
    ),
    "half a sample": (
        "scenarios:",
        "sampling: {steady_samples: 2.5}\nscenarios:",
        [(22, 28, "sampling.steady_samples", "2.5 does not fit here", "a whole number")],
    ),
    "a huge number": (
        "scenarios:",
        "blast_radius: {max_targets: 99999999999999999999}\nscenarios:",
        [(22, 29, "blast_radius.max_targets", "'99999999999999999999' is too large", "at most 1000")],
    ),
    "a number too long to be read": (
        "scenarios:",
        f"blast_radius: {{max_targets: {'9' * 5000}}}\nscenarios:",
        [(22, 29, "blast_radius.max_targets", f"'{'9' * 59}…' does not fit here", "a whole number")],
    ),
    "neither true nor false": ("sealed: true", "sealed: perhaps", [(26, 13, "scenarios[0].sealed", "'perhaps' does not fit here", "true or false")]),
    "a time of day without its zero": (
        "'14:00'",
        "9:00",
        [(4, 16, "times.start", "'9:00' does not fit here", "a time of day in quotes, such as '14:30'")],
    ),
    "a time of day that there is not": (
        "'16:00'",
        "'24:00'",
        [(4, 55, "times.stop", "'24:00' does not fit here", "a time of day in quotes, such as '14:30'")],
    ),
    "a time zone that there is not": (
        "Europe/Berlin",
        "Europe/Berln",
        [(4, 70, "times.zone", "there is no time zone 'Europe/Berln'", "did you mean 'Europe/Berlin'?")],
    ),
    "a time zone that is a path": (
        "Europe/Berlin",
        "../../etc/passwd",
        [(4, 70, "times.zone", "there is no time zone '../../etc/passwd'", "an IANA name such as 'Europe/Berlin'")],
    ),
    "no source of alerts": (
        "{alertmanager: {url: 'http://127.0.0.1:9093'}}",
        "{}",
        [(19, 16, "alerts.from", "alerts come from exactly one source", "'alertmanager: {url: …}' or 'prometheus: {url: …}'")],
    ),
    "a source of alerts without its address": (
        "{url: 'http://127.0.0.1:9093'}",
        "{}",
        [(19, 31, "alerts.from.alertmanager", "'url' is missing", "the base URL, such as http://127.0.0.1:9093")],
    ),
    "an address that is none": (
        "'http://127.0.0.1:9093'",
        "file:///etc/passwd",
        [(19, 37, "alerts.from.alertmanager.url", "'file:///etc/passwd' does not fit here", "a URL, such as 'http://127.0.0.1:9093'")],
    ),
    "an alert that is no name": (
        "[LedgerDown]",
        "[{a: b}]",
        [(19, 75, "alerts.expected[0]", "a mapping does not fit here", "text")],
    ),
    "a list for the name of a fault": (
        "name: ledger-frozen",
        "name: [a]",
        [(28, 16, "scenarios[0].faults[0].name", "a list does not fit here", "text")],
    ),
    "a list for what a fault waits for": (
        "until: mitigated",
        "after: [a]",
        [(28, 107, "scenarios[0].faults[0].after", "a list does not fit here", "text")],
    ),
    "a word for a target": (
        "{host: local, process: ledger}",
        "ledger",
        [(28, 58, "scenarios[0].faults[0].on", "'ledger' does not fit here", "a mapping, such as {host: local, process: ledger}")],
    ),
    "control characters in text": (
        "Can checkout live without its ledger, and do we notice?",
        '"a \\e[31m red day"',
        [(2, 12, "objective", "control characters are not allowed in text", "text that prints as it reads")],
    ),
    "text that turns around what is read": (
        "title: The ledger freezes",
        "title: The ledger \u202efreezes",
        [(23, 12, "scenarios[0].title", "control characters are not allowed in text", "text that prints as it reads")],
    ),
    "more than one line": (
        "Can checkout live without its ledger, and do we notice?",
        '"one\\ntwo"',
        [(2, 12, "objective", "'one\\ntwo' does not fit here", "one line of text")],
    ),
    "no text": ("title: The ledger freezes", "title: ''", [(23, 12, "scenarios[0].title", "'' is too short", "some text")]),
    "too much text": (
        "title: The ledger freezes",
        f"title: {'x' * 201}",
        [(23, 12, "scenarios[0].title", f"'{'x' * 59}…' is too long", "at most 200 characters")],
    ),
    "an unknown key that would colour the terminal": (
        "scenarios:",
        '"a\\e[31m": 1\nscenarios:',
        [
            (
                22,
                1,
                "'a\\x1b[31m'",
                "there is no key 'a\\x1b[31m' here",
                "one of abort_when, alerts, blast_radius, checklist, environment, gates, name, objective and 7 more",
            )
        ],
    ),
}


@pytest.mark.parametrize(("old", "new", "expected"), WRONG_SHAPES.values(), ids=WRONG_SHAPES)
def test_a_wrong_shape_is_reported_where_it_is(old: str, new: str, expected: list[Said], good: str, problems: Problems) -> None:
    found = tuple(problem for problem in problems(changed(good, old, new)) if not problem.warning)
    assert said(found) == expected


WRONG_YAML: dict[str, tuple[str, str, Said]] = {
    "an anchor": (
        "name: small",
        "name: &a small",
        (1, 7, "", "anchors and aliases are not allowed", "the value written out, a variable, or quotes around text that begins with * or &"),
    ),
    "an alias": (
        "name: small",
        "name: *a",
        (1, 7, "", "anchors and aliases are not allowed", "the value written out, a variable, or quotes around text that begins with * or &"),
    ),
    "a tag": (
        "name: small",
        "name: !!python/object/apply:os.system [id]",
        (
            1,
            7,
            "",
            "the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not allowed",
            "plain data, or quotes around text that begins with !",
        ),
    ),
    "a tag of its own": (
        "name: small",
        "name: !x small",
        (1, 7, "", "the tag '!x' is not allowed", "plain data, or quotes around text that begins with !"),
    ),
    "a tag on a key": (
        "name: small",
        "!x name: small",
        (1, 1, "", "the tag '!x' is not allowed", "plain data, or quotes around text that begins with !"),
    ),
    "a merge key": ("name: small", "<<: {environment: x}\nname: small", (1, 1, "<<", "merge keys are not allowed", "the keys written out")),
    "a key twice": ("name: small", "name: small\nname: other", (2, 1, "name", "the key 'name' is here twice", "each key once")),
    "a key twice further down": (
        "{delay: 100ms}",
        "{delay: 100ms, delay: 1s}",
        (6, 69, "faults[0].with.delay", "the key 'delay' is here twice", "each key once"),
    ),
    "a list as a key": ("name: small", "name: small\n[a, b]: c", (2, 1, "", "a key must be plain text", "a name, such as 'objective'")),
    "a second document": ("name: small", "name: small\n---\nname: x", (2, 1, "", "a second document begins here", "one playbook in a file")),
    "too many levels": ("name: small", "name: " + "[" * 21 + "]" * 21, (1, 26, "", "nested deeper than 20 levels", "a flatter playbook")),
    "a hundred thousand brackets": ("name: small", "name: " + "[" * 100_000, (1, 26, "", "nested deeper than 20 levels", "a flatter playbook")),
    "a hundred thousand braces": ("name: small", "name: " + "{a: " * 50_000, (1, 83, "", "nested deeper than 20 levels", "a flatter playbook")),
    "a hundred thousand dashes": (
        "name: small",
        "name:\n" + "- " * 100_000,
        (2, 39, "", "nested deeper than 20 levels", "a flatter playbook"),
    ),
    "a tab": ("name: small", "name: small\n\tx: 1", (2, 1, "", "not valid YAML: a tab does not fit here", "spaces for indentation")),
    "a colon in text": (
        "Does it hold?",
        "Does: it hold?",
        (
            2,
            16,
            "",
            "not valid YAML: a ':' does not fit here",
            "quotes around text that contains ': ', and one indentation for the keys of a level",
        ),
    ),
    "a quote that is never closed": (
        "expect: ['errors < 1 %']",
        "expect: ['errors < 1 %]",
        (7, 10, "", "not valid YAML: a quote is opened and never closed", "the closing quote"),
    ),
    "a list that is never closed": (
        "['errors > 5 %']",
        "['errors > 5 %'",
        (
            4,
            13,
            "",
            "not valid YAML: a ',' or ']' is missing in a list",
            "[one, two], with quotes around text that contains a comma or a quote",
        ),
    ),
    "a mapping that is never closed": (
        "{delay: 100ms}}]",
        "{delay: 100ms}",
        (
            6,
            10,
            "",
            "not valid YAML: a ',' or '}' is missing in a mapping",
            "{key: value, key: value}, with quotes around text that contains a comma or a quote",
        ),
    ),
    "a key too far right": (
        "name: small\n",
        "name: small\n  environment: x\n",
        (
            2,
            14,
            "",
            "not valid YAML: a ':' does not fit here",
            "quotes around text that contains ': ', and one indentation for the keys of a level",
        ),
    ),
    "a key further right than those above": (
        "expect: ['errors < 1 %']",
        "expect: ['errors < 1 %']\n sealed: true",
        (
            8,
            2,
            "",
            "not valid YAML: the indentation does not fit the lines above",
            "the keys of a level below each other, the items of a list likewise",
        ),
    ),
    "a key without its colon": (
        "name: small",
        "name: small\nenvironment\nsealed: true",
        (2, 1, "", "not valid YAML: a key without its ':'", "'key: value'"),
    ),
    "text that begins with an at sign": (
        "Does it hold?",
        "@ada asks",
        (2, 12, "", "not valid YAML: text that begins with this character needs quotes", "'…' around the text"),
    ),
    "half a character": (
        "Does it hold?",
        '"a\\ud800b"',
        (2, 12, "", "this text is not valid Unicode", "the character itself in place of its escape"),
    ),
    "a NUL": ("Does it hold?", "a\x00b", (2, 13, "", "the character U+0000 is not allowed", "plain text, saved as UTF-8")),
}


@pytest.mark.parametrize(("old", "new", "expected"), WRONG_YAML.values(), ids=WRONG_YAML)
def test_yaml_that_a_playbook_has_no_need_for_is_refused(old: str, new: str, expected: Said, small: str, problems: Problems) -> None:
    began = time.process_time()
    assert said(problems(changed(small, old, new)))[0] == expected
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", (1, 1, "", "the file is empty", "a playbook, which begins with 'name: …'")),
        (b"# nothing yet\n", (1, 1, "", "the file is empty", "a playbook, which begins with 'name: …'")),
        (b"- a\n- b\n", (1, 1, "", "this is not a playbook", "keys with their values, beginning with 'name: …'")),
        (b"just text", (1, 1, "", "this is not a playbook", "keys with their values, beginning with 'name: …'")),
        ("name: x\n".encode("utf-16"), (1, 1, "", "the file is not UTF-8", "save it as UTF-8")),
        ("name: x\n".encode("utf-16-le"), (1, 2, "", "the character U+0000 is not allowed", "plain text, saved as UTF-8")),
        ("name: x\nobjective: größer\n".encode("latin-1"), (2, 14, "", "the file is not UTF-8", "save it as UTF-8")),
        (b"a: 1\n# " + b"x" * 256 * 1024, (1, 1, "", "the file is larger than 256 KiB", "a smaller playbook")),
    ],
    ids=["empty", "a comment", "a list", "text", "UTF-16", "UTF-16 without its mark", "Latin-1", "too large"],
)
def test_a_file_that_is_no_playbook_is_refused(raw: bytes, expected: Said, problems: Problems) -> None:
    assert said(problems(raw)) == [expected]


def test_a_byte_order_mark_is_passed_over(small: str, catalogue: Catalogue) -> None:
    loaded = loads(b"\xef\xbb\xbf" + small.encode(), catalogue)
    assert loaded.text == small


def test_a_file_of_just_the_allowed_size_is_read(small: str, catalogue: Catalogue) -> None:
    padded = (small + "# ").encode()
    assert loads(padded + b"x" * (256 * 1024 - len(padded)), catalogue).playbook.name == "small"


@pytest.mark.parametrize(
    ("written", "read"),
    [("no", "no"), ("14:00", "14:00"), ("2026-06-18", "2026-06-18"), ("1_000", "1_000"), ("0x1F", "0x1F"), (".nan", ".nan"), ("'1'", "1")],
)
def test_what_only_looks_like_another_type_stays_text(written: str, read: str, small: str, catalogue: Catalogue) -> None:
    assert loads(changed(small, "Does it hold?", written).encode(), catalogue).playbook.objective == read


@pytest.mark.parametrize(("written"), [".nan", "nan", ".inf", "-.inf", "1.0e999", "1e400"])
def test_a_number_that_is_none_is_refused(written: str, small: str, problems: Problems) -> None:
    found = problems(changed(small, "{delay: 100ms}", f"{{delay: 100ms, loss_percent: {written}}}"))
    assert said(found)[0][:3] == (6, 83, "faults[0].with.loss_percent")
    assert found[0].expected == "a number" or found[0].message.endswith("is too large")


def test_everything_wrong_in_a_file_is_reported_at_once_in_the_order_of_the_file(problems: Problems) -> None:
    text = """\
name: Small
objective: Does it hold?
probes:
  errors: {prometheus: {qery: up}}
steady_state: ['errors < 0.1 ms', 'latency < 5']
team: {commander: {name: Ada, slak: U01}}
scenarios:
  - title: One
    hypothesis: It holds
    faults:
      - {name: a, inject: network.latensy, for: 10}
      - {name: a, inject: process.pause, on: {host: local}}
    expect: ['recovered in 5m']
name: other
"""
    assert [(line, field) for line, _, field, _, _ in said(problems(text))] == [
        (1, "name"),
        (1, "name"),  # the warning that there is no guardrail
        (4, "probes.errors.prometheus"),
        (4, "probes.errors.prometheus.qery"),
        (5, "steady_state[1]"),
        (6, "team.commander.slak"),
        (11, "scenarios[0].faults[0].inject"),
        (11, "scenarios[0].faults[0].for"),
        (12, "scenarios[0].faults[1].name"),
        (12, "scenarios[0].faults[1].on"),
        (13, "scenarios[0].expect[0]"),
        (14, "name"),
    ]


def test_a_mistake_in_a_top_level_scenario_is_reported_where_it_is_in_the_file(small: str, problems: Problems) -> None:
    assert said(problems(changed(small, "delay: 100ms", "dely: 100ms"))) == [
        (6, 54, "faults[0].with", "'delay' is missing", "how much later each packet arrives, such as '90s'"),
        (6, 55, "faults[0].with.dely", "there is no key 'dely' here", "did you mean 'delay'?"),
    ]
    assert said(problems(changed(small, "faults:", "fault:"))) == [
        (1, 1, "playbook", "'faults' is missing", "the disturbances, at least one"),
        (6, 1, "fault", "there is no key 'fault' here", "did you mean 'faults'?"),
    ]
    assert said(problems(changed(small, "objective: Does it hold?\n", ""))) == [
        (1, 1, "playbook", "'objective' is missing", "what is to be learned, as a question in one line")
    ]
    assert said(problems(changed(small, "errors < 1 %", "errors < 1 pct")))[0][:3] == (7, 22, "expect[0]")


def test_parameters_that_are_left_out_are_missed_at_the_fault(small: str, problems: Problems) -> None:
    assert said(problems(changed(small, ", with: {delay: 100ms}", ""))) == [
        (6, 10, "faults[0].with", "'delay' is missing", "how much later each packet arrives, such as '90s'")
    ]


def test_an_endless_list_of_problems_is_cut(small: str, problems: Problems) -> None:
    began = time.process_time()
    assert len(problems(small + "".join(f"key{number}: 1\n" for number in range(15_000)))) == MOST_PROBLEMS
    many = ", ".join(f"'er{number} < 1'" for number in range(12_000))
    assert len(problems(changed(small, "['errors > 5 %']", f"[{many}]"))) == MOST_PROBLEMS + 1
    assert time.process_time() - began < 20


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
    text = changed(VARIABLES, "Does ${what} hold?", "Does ${waht} ${Delay} hold ${}?")
    assert said(problems(text, limit="7", nope="1", loss="x" * 2001)) == [
        (2, 12, "objective", "there is no variable 'waht'", "did you mean 'what'?"),
        (2, 12, "objective", "there is no variable 'Delay'", "did you mean 'delay'?"),
        (2, 12, "objective", "there is no variable ''", "one of delay, limit, loss, what"),
        (4, 3, "variables", "--set nope: there is no such variable", "one of delay, limit, loss, what"),
        (4, 9, "variables.what", "the variable 'what' is never used", "'${what}' somewhere, or no such variable"),
        (6, 9, "variables.loss", "the value given for 'loss' is too long", "at most 2000 characters"),
    ]


def test_variables_are_not_filled_into_each_other(problems: Problems) -> None:
    assert problems(changed(VARIABLES, "{default: 100ms, about: how slow}", "{default: 100ms, about: 'as ${nobody} said'}"), limit="7") == ()


def test_a_wrong_value_is_reported_at_the_place_where_it_is_used(problems: Problems) -> None:
    assert said(problems(VARIABLES, limit="7 pct")) == [
        (9, 14, "abort_when[0]", "'pct' is not a unit", "one of %, ms, s, m, h, B, KiB, MiB, GiB, /s, or 'x baseline'")
    ]


def test_variables_cannot_blow_a_playbook_up(problems: Problems) -> None:
    text = changed(VARIABLES, "expect:", "cards: [" + "{at: 1s, say: '${what}'}, " * 5000 + "]\nexpect:")
    assert said(problems(text, limit="7", what="x" * 2000)) == [
        (1, 1, "variables", "the playbook becomes too large with its variables filled in", "shorter values")
    ]


def test_a_file_is_loaded_by_its_path(tmp_path: Path, small: str, catalogue: Catalogue) -> None:
    path = tmp_path / "small.yaml"
    path.write_text(small)
    assert load(path, catalogue) == loads(small.encode(), catalogue)


@pytest.mark.parametrize("name", ["absent.yaml", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_bad_input(name: str, tmp_path: Path, catalogue: Catalogue) -> None:
    with pytest.raises(BadInput, match="cannot be read"):
        load(tmp_path / name, catalogue)


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
