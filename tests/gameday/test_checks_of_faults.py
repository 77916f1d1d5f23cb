"""What is broken: targets, what a kind can touch, the blast radius, and which fault waits for which."""

from __future__ import annotations

import pytest

from tests.gameday.mistakes import Change, Problems, Said, before_scenarios, changed, said

FAULT = "{name: ledger-frozen, inject: process.pause, on: {host: local, process: ledger}, for: 10m, until: mitigated}"
ON = "{host: local, process: ledger}"


def faults(*more: str) -> Change:
    return (f"- {FAULT}\n", "\n".join([f"- {FAULT}", *(f"      - {each}" for each in more)]) + "\n")


def on(target: str) -> Change:
    return (ON, target)


PROBLEMS: dict[str, tuple[list[Change], list[Said]]] = {
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
}

FINE: dict[str, list[Change]] = {
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
    "faults one after another within max_concurrent": [
        before_scenarios("blast_radius: {max_concurrent: 1}"),
        faults("{name: second, inject: process.pause, on: {host: local, process: till}, after: ledger-frozen}"),
    ],
}


@pytest.mark.parametrize(("changes", "expected"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_fault_that_cannot_be_put_on_is_a_problem(changes: list[Change], expected: list[Said], good: str, problems: Problems) -> None:
    assert said(each for each in problems(changed(good, *changes)) if not each.warning) == expected


@pytest.mark.parametrize("changes", FINE.values(), ids=FINE)
def test_faults_that_go_together_are_left_alone(changes: list[Change], good: str, problems: Problems) -> None:
    assert problems(changed(good, *changes)) == ()
