"""Guardrails that look at nothing but what is being broken."""

from __future__ import annotations

from typing import Any

import pytest

from gameday.guardrail_checks import guardrails

LEDGER = {"process": {"name": "ledger"}}
SHOP = {"http": {"url": "http://127.0.0.1:8080/health", "measure": "ok"}}
ELSEWHERE = {"tcp": {"host": "db-1", "port": 5432}}


@pytest.mark.parametrize(
    ("target", "probes", "warned"),
    [
        ({"host": "local", "process": "ledger"}, {"alive": LEDGER}, True),
        ({"host": "local", "process": "ledger"}, {"alive": LEDGER, "shop": SHOP}, False),
        ({"host": "local", "process": "ledger"}, {"shop": SHOP}, False),
        ({"host": "local", "process": "other"}, {"alive": LEDGER}, False),
        ({"host": "db-1"}, {"port": ELSEWHERE}, True),
        ({"host": "db-2"}, {"port": ELSEWHERE}, False),
    ],
)
def test_guardrails_on_the_target_alone_are_doubted(target: dict[str, str], probes: dict[str, Any], warned: bool) -> None:
    data = {
        "probes": probes,
        "abort_when": [f"{name} < 50 %" for name in probes],
        "scenarios": [{"faults": [{"name": "one", "inject": "process.pause", "on": target}]}],
    }
    assert ["looks only at what is being broken" in each.message for each in guardrails(data)] == [True] * warned
