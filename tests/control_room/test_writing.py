"""What people wrote in Slack reads as they meant it, on a timeline that knows nothing of Slack's markup."""

from __future__ import annotations

import pytest

from control_room.blocks import plain
from control_room.writing import MOST, plain_text

NAMES = {"U03": "Linus"}


@pytest.mark.parametrize(
    ("written", "reads"),
    [
        ("the ledger is slow", "the ledger is slow"),
        ("<@U03> restarted it", "@Linus restarted it"),
        ("<@U99> too", "@U99 too"),
        ("in <#C01|incidents>, <!here>", "in #incidents, @here"),
        ("see <https://a.example/x|the graph>", "see the graph (https://a.example/x)"),
        ("a &lt; b &amp;&amp; c &gt; d", "a < b && c > d"),
        ("two\nlines\tand \x1b[31mred", "two lines and \N{REPLACEMENT CHARACTER}[31mred"),
        ("x" * 5000, "x" * MOST),
    ],
)
def test_a_message_reads_as_it_was_meant(written: str, reads: str) -> None:
    assert plain_text(written, lambda user: NAMES.get(user, user)) == reads


@pytest.mark.parametrize("hostile", ["<!channel>", "<@U01>", "<https://evil.example|click>", "*bold*", "`code`", "_it_", "&lt;!here&gt;"])
def test_text_of_others_is_never_markup(hostile: str) -> None:
    shown = plain(hostile)
    assert "<" not in shown and ">" not in shown
    assert not any(f"{sign}{sign}" in shown or shown.count(sign) != shown.count(f"{sign}\N{ZERO WIDTH SPACE}") for sign in "*_~`")
