"""The circuit's decisions, on a clock that the test turns."""

from __future__ import annotations

import pytest

from demo.circuit import FAIL_OVER_AFTER, FAILURES_TO_OPEN, GO_BACK_AFTER, Circuit, Side

BOTH_WELL: dict[Side, bool] = {"ledger": True, "standby": True}
NONE_WELL: dict[Side, bool] = {"ledger": False, "standby": False}
STANDBY_WELL: dict[Side, bool] = {"ledger": False, "standby": True}


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def circuit(clock: Clock) -> Circuit:
    return Circuit(clock)


def fail(circuit: Circuit, times: int = FAILURES_TO_OPEN) -> None:
    for _ in range(times):
        circuit.failed()


def test_opens_after_failures_in_a_row_and_not_after_scattered_ones(circuit: Circuit) -> None:
    for _ in range(3):
        fail(circuit, FAILURES_TO_OPEN - 1)
        circuit.succeeded()
    assert not circuit.is_open

    fail(circuit)
    assert circuit.is_open


def test_closes_on_the_same_ledger_as_soon_as_that_is_well(circuit: Circuit) -> None:
    fail(circuit)
    circuit.probed(BOTH_WELL)
    assert (circuit.is_open, circuit.active) == (False, "ledger")
    assert not circuit.wants_probes


def test_fails_over_only_after_a_while(circuit: Circuit, clock: Clock) -> None:
    fail(circuit)
    clock.now += FAIL_OVER_AFTER - 0.1
    circuit.probed(STANDBY_WELL)
    assert circuit.is_open

    clock.now += 0.1
    circuit.probed(STANDBY_WELL)
    assert (circuit.is_open, circuit.active) == (False, "standby")


def test_the_while_is_counted_from_the_first_failure(circuit: Circuit, clock: Clock) -> None:
    circuit.failed()
    clock.now += FAIL_OVER_AFTER
    fail(circuit)
    circuit.probed(STANDBY_WELL)
    assert circuit.active == "standby"


def test_stays_open_while_no_ledger_is_well(circuit: Circuit, clock: Clock) -> None:
    fail(circuit)
    clock.now += 10 * FAIL_OVER_AFTER
    circuit.probed(NONE_WELL)
    assert (circuit.is_open, circuit.active) == (True, "ledger")


def test_goes_back_once_the_primary_has_been_well_for_a_while_without_a_break(circuit: Circuit, clock: Clock) -> None:
    fail(circuit)
    clock.now += FAIL_OVER_AFTER
    circuit.probed(STANDBY_WELL)

    circuit.probed(BOTH_WELL)
    clock.now += GO_BACK_AFTER - 0.1
    circuit.probed(STANDBY_WELL)  # a break: the count begins anew
    circuit.probed(BOTH_WELL)
    clock.now += GO_BACK_AFTER - 0.1
    circuit.probed(BOTH_WELL)
    assert circuit.active == "standby"

    clock.now += 0.1
    circuit.probed(BOTH_WELL)
    assert (circuit.is_open, circuit.active) == (False, "ledger")
