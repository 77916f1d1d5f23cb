"""Names, addresses and texts that are none, that lead out of their folder, or that would not print as they read."""

from __future__ import annotations

import pytest

from tests.gameday.mistakes import Placed, Problems, changed, placed

NAME = "lower-case letters, digits and dashes, at most 63, such as 'checkout-day'"
PROBE = "lower-case letters, digits and underscores, beginning with a letter, such as 'latency_p99'"

WRONG: dict[str, tuple[str, str, list[Placed]]] = {
    "a name with a space": ("name: checkout-day-june", "name: Checkout day", [(1, 7, "name", "'Checkout day' does not fit here", NAME)]),
    "a name that is a path": ("name: checkout-day-june", "name: ../x", [(1, 7, "name", "'../x' does not fit here", NAME)]),
    "a name with a slash": ("name: checkout-day-june", "name: a/b", [(1, 7, "name", "'a/b' does not fit here", NAME)]),
    "a name that is a folder": ("name: checkout-day-june", "name: .", [(1, 7, "name", "'.' does not fit here", NAME)]),
    "a name of a device": ("name: checkout-day-june", "name: CON", [(1, 7, "name", "'CON' does not fit here", NAME)]),
    "a host that is a path": (
        "host: local",
        "host: ../etc",
        [(28, 65, "scenarios[0].faults[0].on.host", "'../etc' does not fit here", "the name of a host: letters, digits, dots and dashes")],
    ),
    "a process that is a path": (
        "process: ledger",
        "process: ../../bin/sh",
        [(28, 81, "scenarios[0].faults[0].on.process", "'../../bin/sh' does not fit here", "a name of letters, digits and _ . @ : -, at most 128")],
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
    "an address that is none": (
        "'http://127.0.0.1:9093'",
        "file:///etc/passwd",
        [(19, 37, "alerts.from.alertmanager.url", "'file:///etc/passwd' does not fit here", "a URL, such as 'http://127.0.0.1:9093'")],
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
}


@pytest.mark.parametrize(("old", "new", "expected"), WRONG.values(), ids=WRONG)
def test_a_text_that_does_not_fit_is_reported_where_it_is(old: str, new: str, expected: list[Placed], good: str, problems: Problems) -> None:
    assert placed(each for each in problems(changed(good, (old, new))) if not each.warning) == expected
