"""Helper processes, as the steps use them."""

from __future__ import annotations

from activities.hands import JournaledHands


def test_a_helper_that_says_much_is_heard_out_and_one_that_closes_its_output_costs_nothing() -> None:
    hands = JournaledHands(None, lambda: None)
    code, said = hands.run(("head", "-c", "300000", "/dev/zero"), 20.0)
    assert (code, len(said)) == (0, 2000)
    assert hands.run(("sh", "-c", "exec >&- 2>&-; sleep 0.3; exit 7"), 20.0) == (7, "")
