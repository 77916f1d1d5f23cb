"""What a schema cannot say: each problem and each warning, from one change to a good playbook."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from gameday.yaml_tree import Problem

Problems = Callable[..., tuple[Problem, ...]]
Change = tuple[str, str]
Said = tuple[str, str, str]

FAULT = "{name: ledger-frozen, inject: process.pause, on: {host: local, process: ledger}, for: 10m, until: mitigated}"
ON = "{host: local, process: ledger}"
EXPECT = "['errors < 1 %', 'alert LedgerDown within 60s', 'mitigated within 5m', 'recovered within 30s']"
ALERTS = "alerts: {from: {alertmanager: {url: 'http://127.0.0.1:9093'}}, expected: [LedgerDown]}\n"
STEADY = "steady_state: ['errors < 0.1 %', 'latency_p99 < 1.5 x baseline']\n"
SOURCE = "an 'alerts' block with 'from: {alertmanager: {url: …}}'"
MARKED = "no alerts are read: only people could mark the detection"


def before_scenarios(line: str) -> Change:
    return ("scenarios:", f"{line}\nscenarios:")


def faults(*more: str) -> Change:
    return (f"- {FAULT}\n", "\n".join([f"- {FAULT}", *(f"      - {each}" for each in more)]) + "\n")


def on(target: str) -> Change:
    return (ON, target)


PROBLEMS: dict[str, tuple[list[Change], list[Said]]] = {
    "a probe that is not declared": (
        [("'errors < 0.1 %'", "'error < 0.1 %'")],
        [("steady_state[0]", "there is no probe 'error'", "did you mean 'errors'?")],
    ),
    "a probe that is not declared, in a guardrail": (
        [("'failed_requests > 500 in total'", "'orders is unknown for 30s'")],
        [("abort_when[1]", "there is no probe 'orders'", "one of errors, failed_requests, latency_p99")],
    ),
    "a probe that is not declared, in an expectation": (
        [("'errors < 1 %'", "'errrors < 1 %'")],
        [("scenarios[0].expect[0]", "there is no probe 'errrors'", "did you mean 'errors'?")],
    ),
    "a probe that is not declared, in a prediction": (
        [("'worst errors'", "'worst latency'")],
        [("scenarios[0].predict[1]", "there is no probe 'latency'", "did you mean 'latency_p99'?")],
    ),
    "a probe named by a word of the language": (
        [("  latency_p99: {", "  samples: {"), (", 'latency_p99 < 1.5 x baseline'", "")],
        [("probes.samples", "'samples' is a word of the language", "another name for the probe")],
    ),
    "a probe of two kinds": (
        [("{prometheus: {query:", "{alert: {alert: X}, prometheus: {query:")],
        [("probes.errors", "a probe has exactly one kind", "one, such as {http: {url: …}}")],
    ),
    "a unit of another dimension": (
        [("'errors < 0.1 %'", "'errors < 0.1 ms'")],
        [("steady_state[0]", "'errors' is measured as a ratio, not in 'ms'", "a bound in %")],
    ),
    "a unit for a count": (
        [("'failed_requests > 500 in total'", "'failed_requests > 500 % in total'")],
        [("abort_when[1]", "'failed_requests' is measured as a count, not in '%'", "a plain number: 'failed_requests > 500'")],
    ),
    "a time without its unit": (
        [("1.5 x baseline", "250")],
        [("steady_state[1]", "the unit is missing: 'latency_p99' is a time", "'latency_p99 < 250 s', or in ms, s, m or h")],
    ),
    "a total of what is no counter": (
        [("'failed_requests > 500 in total'", "'errors > 5 in total'")],
        [("abort_when[1]", "a total needs a counter, and 'errors' is measured as a ratio", "a probe that counts, such as a Prometheus counter")],
    ),
    "a total that holds from the beginning": (
        [("failed_requests > 500 in total", "failed_requests < 500 in total")],
        [("abort_when[1]", "a total begins at 0, so this would abort the run at once", "'failed_requests > 500 in total'")],
    ),
    "a guardrail that is the steady state": (
        [("errors > 5 % in 3 of 5", "errors < 0.1 % in 3 of 5")],
        [
            (
                "abort_when[0]",
                "this holds whenever 'errors < 0.1 %' of the steady state holds: the run would abort while all is well",
                "the opposite comparison, such as 'errors > 5 %'",
            )
        ],
    ),
    "a guardrail that holds wherever the steady state does": (
        [("'errors > 5 % in 3 of 5 samples'", "'latency_p99 <= 2 x baseline for 10s'")],
        [
            (
                "abort_when[0]",
                "this holds whenever 'latency_p99 < 1.5 x baseline' of the steady state holds: the run would abort while all is well",
                "the opposite comparison, such as 'errors > 5 %'",
            )
        ],
    ),
    "a fault longer than the blast radius allows": (
        [before_scenarios("blast_radius: {max_duration: 5m}")],
        [("scenarios[0].faults[0].for", "the fault lasts longer than blast_radius.max_duration (5m)", "'for: 5m' at most")],
    ),
    "a fault that is longer by default": (
        [before_scenarios("blast_radius: {max_duration: 2m}"), (", for: 10m", "")],
        [("scenarios[0].faults[0].for", "the fault lasts longer than blast_radius.max_duration (2m)", "'for: 2m' at most")],
    ),
    "a host outside the blast radius": (
        [before_scenarios("blast_radius: {hosts: [ledger-1, ledger-2]}"), ("host: local", "host: ledger-3")],
        [("scenarios[0].faults[0].on.host", "'ledger-3' is outside the blast radius", "did you mean 'ledger-2'?")],
    ),
    "the host of no target outside the blast radius": (
        [
            before_scenarios("blast_radius: {hosts: [ledger-1]}"),
            ("process.pause, on: {host: local, process: ledger}", "network.latency, with: {delay: 1s}"),
        ],
        [("scenarios[0].faults[0].on.host", "'local' is outside the blast radius", "'ledger-1', the only one")],
    ),
    "more targets than the blast radius allows": (
        [before_scenarios("blast_radius: {max_targets: 2}"), on("{hosts: {app: ledger}, process: ledger, count: 3}")],
        [("scenarios[0].faults[0].on.count", "3 targets are more than blast_radius.max_targets", "at most 2")],
    ),
    "a host and candidates": (
        [on("{host: local, hosts: {app: ledger}, process: ledger}")],
        [("scenarios[0].faults[0].on", "a target is on one host, or among candidates", "'host: NAME' or 'hosts: {label: value}', one of the two")],
    ),
    "neither host nor candidates": (
        [on("{process: ledger}")],
        [("scenarios[0].faults[0].on", "a target is on one host, or among candidates", "'host: NAME' or 'hosts: {label: value}', one of the two")],
    ),
    "a count without candidates": (
        [on("{host: local, process: ledger, count: 2}")],
        [("scenarios[0].faults[0].on.count", "a count chooses among candidates", "'hosts: {label: value}' in place of 'host'")],
    ),
    "nothing on the host": (
        [on("{host: local}")],
        [
            (
                "scenarios[0].faults[0].on",
                "it does not say what process.pause touches on the host",
                "'process' or 'pid_file', such as {host: local, process: …}",
            )
        ],
    ),
    "two things on the host": (
        [on("{host: local, process: ledger, unit: ledger}")],
        [
            (
                "scenarios[0].faults[0].on",
                "a fault touches one thing on its host, not 'process' and 'unit'",
                "one of the two, such as {host: local, process: …}",
            )
        ],
    ),
    "a thing that this kind cannot touch": (
        [on("{host: local, envoy: edge}")],
        [("scenarios[0].faults[0].on", "process.pause cannot touch 'envoy'", "'process' or 'pid_file', such as {host: local, process: …}")],
    ),
    "a thing where the host itself is touched": (
        [("inject: process.pause", "inject: network.latency, with: {delay: 1s}")],
        [("scenarios[0].faults[0].on", "network.latency touches the host itself, not 'process' on it", "{host: local}")],
    ),
    "a momentary fault that lasts until something": (
        [("process.pause", "process.kill"), ("'mitigated within 5m', ", "")],
        [("scenarios[0].faults[0].until", "process.kill is over in a moment: it cannot last until something", "no 'until'")],
    ),
    "more faults at once than the blast radius allows": (
        [
            before_scenarios("blast_radius: {max_concurrent: 2}"),
            faults(
                "{name: b, inject: process.pause, on: {host: local, process: b}, at: 1m}",
                "{name: c, inject: process.pause, on: {host: local, process: c}, at: 2m}",
                "{name: d, inject: process.pause, on: {host: local, process: d}, after: ledger-frozen}",
            ),
        ],
        [
            (
                "scenarios[0].faults",
                "3 faults would be on at the same time, more than blast_radius.max_concurrent",
                "at most 2, or 'after' and 'at' to put them one after another",
            )
        ],
    ),
    "a fault of the same name": (
        [faults(FAULT)],
        [("scenarios[0].faults[1].name", "the fault 'ledger-frozen' is here twice", "each name once in a scenario")],
    ),
    "a fault that waits for none": (
        [faults("{name: second, inject: process.pause, on: {host: local, process: till}, after: ledger-froze}")],
        [("scenarios[0].faults[1].after", "there is no fault 'ledger-froze' in this scenario", "did you mean 'ledger-frozen'?")],
    ),
    "a fault that waits for itself": (
        [(", until: mitigated", ", after: ledger-frozen")],
        [("scenarios[0].faults[0].after", "'ledger-frozen' would wait for itself", "an order without a circle")],
    ),
    "faults that wait for each other": (
        [
            (", until: mitigated", ", after: b"),
            ("    expect:", "      - {name: b, inject: process.pause, on: {host: local, process: b}, after: ledger-frozen}\n    expect:"),
        ],
        [
            ("scenarios[0].faults[0].after", "'ledger-frozen' would wait for itself", "an order without a circle"),
            ("scenarios[0].faults[1].after", "'b' would wait for itself", "an order without a circle"),
        ],
    ),
    "a day that ends before it can inject": (
        [("stop: '16:00'", "stop: '15:30'")],
        [("times.stop", "stop 15:30 is not after latest_inject 15:30", "start, then latest_inject, then stop, within one day")],
    ),
    "a day past midnight": (
        [("start: '14:00', latest_inject: '15:30', stop: '16:00'", "start: '22:00', stop: '02:00'"), ("    planned: '14:15'\n", "")],
        [("times.stop", "stop 02:00 is not after start 22:00", "start, then latest_inject, then stop, within one day")],
    ),
    "a scenario when nothing may be injected any more": (
        [("planned: '14:15'", "planned: '15:30'")],
        [("scenarios[0].planned", "planned at 15:30, when nothing may be injected any more", "a time before latest_inject 15:30")],
    ),
    "a scenario before the day starts": (
        [("planned: '14:15'", "planned: '13:59'")],
        [("scenarios[0].planned", "planned at 13:59, before the day's start at 14:00", "scenarios in the order of the day")],
    ),
    "a checklist item of nobody": (
        [("Deploys frozen, owner: Ada", "Deploys frozen, owner: Aida")],
        [("checklist[0].owner", "'Aida' is not on the team, or is away", "did you mean 'Ada'?")],
    ),
    "a checklist item of somebody who is away": (
        [("Deploys frozen, owner: Ada", "Deploys frozen, owner: Barbara")],
        [("checklist[0].owner", "'Barbara' is not on the team, or is away", "one of Ada, Edsger, Grace, Linus, Margaret")],
    ),
    "one Slack id for two people": (
        [("{name: Grace, slack: U02}", "{name: Grace, slack: U01}")],
        [("team.safety.slack", "'U01' is Ada's already: nobody could tell who speaks", "Grace's own")],
    ),
    "an alert without a source": (
        [(ALERTS, "")],
        [("scenarios[0].expect[1]", "no alert source could judge this", SOURCE)],
    ),
    "recovery without a steady state": (
        [(STEADY, ""), (", until: mitigated", ""), ("'mitigated within 5m', ", "")],
        [("scenarios[0].expect[2]", "'recovered' means steady state again, and no steady_state is declared", "a 'steady_state' list")],
    ),
    "until mitigated without a steady state": (
        [(STEADY, ""), (", 'mitigated within 5m', 'recovered within 30s'", "")],
        [("scenarios[0].faults[0].until", "'until: mitigated' needs a steady state to come back to", "a 'steady_state' list")],
    ),
}

WARNINGS: dict[str, tuple[list[Change], list[Said]]] = {
    "no guardrail": (
        [("abort_when:   ['errors > 5 % in 3 of 5 samples', 'failed_requests > 500 in total']\n", "")],
        [("name", "there is no guardrail: nothing but people would stop this day", "an 'abort_when' list")],
    ),
    "nothing expected": (
        [(f"    expect: {EXPECT}\n", "")],
        [("scenarios[0]", "nothing is expected: this scenario would pass whatever happens", "an 'expect' list")],
    ),
    "an expected alert that aborts": (
        [("probes:\n", "probes:\n  down: {alert: {alert: LedgerDown}}\n"), ("'errors > 5 % in 3 of 5 samples'", "'down = 1'")],
        [("abort_when[0]", "the expected alert 'LedgerDown' would abort the run", "a guardrail on what customers feel")],
    ),
    "mitigation after the fault has ended": (
        [("mitigated within 5m", "mitigated within 11m")],
        [
            (
                "scenarios[0].expect[2]",
                "'mitigated within 11m', but the fault ends by itself after 10m: people may never get the chance",
                "a longer 'for'",
            )
        ],
    ),
    "mitigation after the scenario has ended": (
        [("    expect:", "    observe: 5m\n    expect:"), ("mitigated within 5m", "mitigated within 6m")],
        [("scenarios[0].expect[2]", "'mitigated within 6m', but the scenario is observed for 5m only", "a longer 'for' (or 'observe')")],
    ),
    "an alert after the scenario has ended": (
        [("LedgerDown within 60s", "LedgerDown within 20m")],
        [("scenarios[0].expect[1]", "'alert LedgerDown within 20m', but the scenario is observed for 10m only", "a longer 'for' (or 'observe')")],
    ),
    "mitigation of what is over in a moment": (
        [("process.pause", "process.kill"), (", until: mitigated", "")],
        [
            (
                "scenarios[0].expect[2]",
                "the fault is over in a moment, so there is nothing to mitigate while it is on",
                "'recovered within 5m'",
            )
        ],
    ),
    "recovery longer than it is watched": (
        [("recovered within 30s", "recovered within 3m")],
        [("scenarios[0].expect[3]", "'recovered within 3m', but recovery is watched for 2m only", "a longer 'afterwards.recover_within'")],
    ),
    "a card after the faults, though observe is longer": (
        [("    expect:", "    observe: 20m\n    expect:"), ("at: 4m", "at: 12m")],
        [("scenarios[0].cards[0].at", "this card comes after the scenario is over (10m)", "an earlier 'at'")],
    ),
    "a card that comes too late": (
        [("at: 4m", "at: 10m")],
        [("scenarios[0].cards[0].at", "this card comes after the scenario is over (10m)", "an earlier 'at'")],
    ),
    "a fault that comes too late": (
        [("    expect:", "    observe: 9m\n    expect:"), (", until: mitigated", ", until: mitigated, at: 9m")],
        [("scenarios[0].faults[0].at", "this fault would start after the scenario is over (9m)", "an earlier 'at'")],
    ),
    "detection that only people could mark": (
        [(ALERTS, ""), ("alert LedgerDown within", "detected within")],
        [("scenarios[0].expect[1]", MARKED, SOURCE)],
    ),
    "until a detection that only people could mark": (
        [(ALERTS, ""), (", 'alert LedgerDown within 60s'", ""), ("until: mitigated", "until: detected")],
        [
            ("scenarios[0].faults[0].until", MARKED, SOURCE),
            (
                "scenarios[0].expect[1]",
                "'mitigated within 5m', but the fault ends as soon as it is detected: people may never get the chance",
                "'until: mitigated'",
            ),
        ],
    ),
    "somebody with two roles": (
        [("{name: Grace, slack: U02}", "{name: Ada, slack: U01}")],
        [("team.safety.name", "'Ada' is on the team twice: the first role counts", "one role a person")],
    ),
    "more people ready than there are": (
        [before_scenarios("gates: {inject: {ready: 6}}")],
        [("gates.inject.ready", "6 people must say ready, and the team has 5", "at most 5")],
    ),
    "a baseline of a single sample": (
        [before_scenarios("sampling: {baseline: 0s, baseline_samples: 0}")],
        [
            (
                "steady_state[1]",
                "the baseline would be 1 sample only: chance decides what this means",
                "a longer sampling.baseline, more sampling.baseline_samples, or an absolute bound",
            )
        ],
    ),
    "a checklist to tick that is not there": (
        [
            before_scenarios("gates: {day: {checklist: true}}"),
            ("  - {item: Deploys frozen, owner: Ada}\n  - {item: Abort criteria read aloud, owner: Ada}\n", ""),
            ("checklist:\n", ""),
        ],
        [("gates.day.checklist", "there is no checklist that could be ticked", "a 'checklist' list")],
    ),
}


def apply(text: str, changes: list[Change]) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def said(found: list[Problem]) -> list[Said]:
    return [(each.field, each.message, each.expected) for each in found]


@pytest.mark.parametrize(("changes", "expected"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_cannot_work_is_a_problem(changes: list[Change], expected: list[Said], good: str, problems: Problems) -> None:
    found = problems(apply(good, changes))
    assert said([each for each in found if not each.warning]) == expected


@pytest.mark.parametrize(("changes", "expected"), WARNINGS.values(), ids=WARNINGS)
def test_what_is_doubtful_is_a_warning(changes: list[Change], expected: list[Said], good: str, problems: Problems) -> None:
    found = problems(apply(good, changes))
    assert said(list(found)) == expected and all(each.warning for each in found)


FINE: dict[str, list[Change]] = {
    "a guardrail above the steady state": [("errors > 5 % in 3 of 5", "errors > 0.1 % in 3 of 5")],
    "a guardrail below a part of the steady state": [("'errors > 5 % in 3 of 5 samples'", "'latency_p99 < 1 ms for 10s'")],
    "a fault after another, and a card during it": [
        faults("{name: second, inject: process.pause, on: {host: local, process: till}, after: ledger-frozen, for: 5m}"),
        ("at: 4m", "at: 14m"),
    ],
    "a momentary fault without a time, under a small cap": [
        before_scenarios("blast_radius: {max_duration: 1m}"),
        ("process.pause, on: {host: local, process: ledger}, for: 10m, until: mitigated", "process.kill, on: {host: local, process: ledger}"),
        ("'mitigated within 5m', ", ""),
    ],
    "candidates with a share": [on("{hosts: {app: ledger, tier: gold}, process: ledger, count: 30 %}")],
    "a process by its pid file": [on("{host: local, pid_file: /run/ledger.pid}")],
    "a size in any unit of sizes": [
        ("unit: ratio", "unit: B"),
        ("0.1 %", "5 GiB"),
        ("errors > 5 %", "errors > 6 GiB"),
        ("errors < 1 %", "errors < 9000 KiB"),
    ],
    "faults one after another within max_concurrent": [
        before_scenarios("blast_radius: {max_concurrent: 1}"),
        faults("{name: second, inject: process.pause, on: {host: local, process: till}, after: ledger-frozen}"),
    ],
    "no times at all": [("times: {start: '14:00', latest_inject: '15:30', stop: '16:00', zone: Europe/Berlin}\n", "")],
}


@pytest.mark.parametrize("changes", FINE.values(), ids=FINE)
def test_what_goes_together_is_left_alone(changes: list[Change], good: str, problems: Problems) -> None:
    assert problems(apply(good, changes)) == ()


def test_scenarios_are_planned_in_the_order_of_the_day(good: str, problems: Problems) -> None:
    second = good[good.index("  - title") :].replace("14:15", "14:10")
    assert said(list(problems(good + second))) == [
        ("scenarios[1].planned", "planned at 14:10, before the scenario above it, planned at 14:15", "scenarios in the order of the day")
    ]


@pytest.mark.parametrize(
    ("steady", "guardrail", "aborts_while_all_is_well"),
    [
        ("errors < 1 %", "errors < 1 %", True),
        ("errors < 1 %", "errors <= 1 %", True),
        ("errors <= 1 %", "errors < 1 %", False),
        ("errors < 1 %", "errors < 5 %", True),
        ("errors < 5 %", "errors < 1 %", False),
        ("errors < 1 %", "errors > 1 %", False),
        ("errors > 40 %", "errors > 10 %", True),
        ("errors > 40 %", "errors > 50 %", False),
        ("errors > 40 %", "errors >= 40 %", True),
        ("errors = 1 %", "errors = 1 %", True),
        ("errors = 1 %", "errors = 2 %", False),
        ("latency_p99 < 100 ms", "latency_p99 < 1 s", True),
        ("latency_p99 < 1 x baseline", "latency_p99 < 1 s", False),
        ("latency_p99 > 1 x baseline", "latency_p99 > 0.5 x baseline for 10s", True),
        ("errors < 1 %", "latency_p99 < 1 s", False),
    ],
)
def test_a_guardrail_must_not_hold_while_the_steady_state_does(
    steady: str, guardrail: str, aborts_while_all_is_well: bool, good: str, problems: Problems
) -> None:
    found = problems(
        apply(good, [("'errors < 0.1 %', 'latency_p99 < 1.5 x baseline'", f"'{steady}'"), ("errors > 5 % in 3 of 5 samples", guardrail)])
    )
    assert [each.field for each in found] == (["abort_when[0]"] if aborts_while_all_is_well else [])
