"""What is measured: probes that must be declared, units that must fit, guardrails that must not hold while all is well."""

from __future__ import annotations

import pytest

from tests.gameday.mistakes import Change, Problems, Said, before_scenarios, changed, said

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
}

WARNINGS: dict[str, tuple[list[Change], list[Said]]] = {
    "no guardrail": (
        [("abort_when:   ['errors > 5 % in 3 of 5 samples', 'failed_requests > 500 in total']\n", "")],
        [("name", "there is no guardrail: nothing but people would stop this day", "an 'abort_when' list")],
    ),
    "an expected alert that aborts": (
        [("probes:\n", "probes:\n  down: {alert: {alert: LedgerDown}}\n"), ("'errors > 5 % in 3 of 5 samples'", "'down = 1'")],
        [("abort_when[0]", "the expected alert 'LedgerDown' would abort the run", "a guardrail on what customers feel")],
    ),
    "an expected alert that aborts, asked of Prometheus": (
        [
            ("probes:\n", 'probes:\n  down: {prometheus: {query: \'count(ALERTS{alertname="LedgerDown", alertstate="firing"})\', unit: count}}\n'),
            ("'errors > 5 % in 3 of 5 samples'", "'down > 0'"),
        ],
        [("abort_when[0]", "the expected alert 'LedgerDown' would abort the run", "a guardrail on what customers feel")],
    ),
    "guardrails on nothing but the host": (
        [
            ("http://127.0.0.1:8080/metrics', metric: http_errors_total", "http://db-1:8080/metrics', metric: http_errors_total"),
            ("on: {host: local, process: ledger}", "on: {host: db-1, process: ledger}"),
            ("'errors > 5 % in 3 of 5 samples', ", ""),
        ],
        [
            (
                "abort_when[0]",
                "every guardrail looks only at what is being broken: none says what that does to those who depend on it",
                "a guardrail on what customers feel, such as 'errors > 5 % in 3 of 5 samples'",
            )
        ],
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
}

FINE: dict[str, list[Change]] = {
    "a guardrail above the steady state": [("errors > 5 % in 3 of 5", "errors > 0.1 % in 3 of 5")],
    "a guardrail below a part of the steady state": [("'errors > 5 % in 3 of 5 samples'", "'latency_p99 < 1 ms for 10s'")],
    "a size in any unit of sizes": [
        ("unit: ratio", "unit: B"),
        ("0.1 %", "5 GiB"),
        ("errors > 5 %", "errors > 6 GiB"),
        ("errors < 1 %", "errors < 9000 KiB"),
    ],
}


@pytest.mark.parametrize(("changes", "expected"), PROBLEMS.values(), ids=PROBLEMS)
def test_a_measure_that_cannot_be_taken_is_a_problem(changes: list[Change], expected: list[Said], good: str, problems: Problems) -> None:
    assert said(each for each in problems(changed(good, *changes)) if not each.warning) == expected


@pytest.mark.parametrize(("changes", "expected"), WARNINGS.values(), ids=WARNINGS)
def test_a_measure_that_may_mislead_is_a_warning(changes: list[Change], expected: list[Said], good: str, problems: Problems) -> None:
    found = problems(changed(good, *changes))
    assert said(found) == expected and all(each.warning for each in found)


@pytest.mark.parametrize("changes", FINE.values(), ids=FINE)
def test_measures_that_go_together_are_left_alone(changes: list[Change], good: str, problems: Problems) -> None:
    assert problems(changed(good, *changes)) == ()


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
    changes = [("'errors < 0.1 %', 'latency_p99 < 1.5 x baseline'", f"'{steady}'"), ("errors > 5 % in 3 of 5 samples", guardrail)]
    assert [each.field for each in problems(changed(good, *changes))] == (["abort_when[0]"] if aborts_while_all_is_well else [])
