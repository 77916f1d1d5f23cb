"""What an agent finds at pre-check is what it puts on, or nothing is."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities import kinds
from activities.host import HostActivities
from activities.journal import Journal
from activities.operators import Operators
from gameday.fault import FaultOrder
from gameday.orders import FaultQuestion, ResolveOrder
from gameday.playbook import Target
from gameday.settings import load_settings

COMMAND = "[commands.light]\ndo = ['touch', '{0}']\nundo = ['rm', '-f', '{0}']\ncheck = ['test', '-e', '{0}']\n"


async def test_settings_that_change_after_the_targets_were_found_let_nothing_else_be_done(
    tmp_path: Path, operators: Operators, monkeypatch: pytest.MonkeyPatch
) -> None:
    lamp, other, settings = tmp_path / "lamp", tmp_path / "other", tmp_path / "settings.toml"
    monkeypatch.setenv("GAMEDAY_SETTINGS", str(settings))
    monkeypatch.setenv("GAMEDAY_HOME", str(tmp_path / "home"))
    settings.write_text(COMMAND.format(lamp))
    host = HostActivities(load_settings(), Journal.at(tmp_path / "home"), kinds.injectors(), operators)
    question = FaultQuestion(name="light", kind="command", params={"name": "light"}, on=Target(host="local"))
    (target,) = (await host.resolve(ResolveOrder(host="local", faults=(question,)))).targets
    assert target is not None and target.label == "local: light"
    settings.write_text(COMMAND.format(other))
    await host.resolve(ResolveOrder(host="local", faults=(question,)))  # another run's pre-check
    minute = timedelta(minutes=1)
    order = FaultOrder(
        run_id="abcd-day",
        scenario=0,
        fault_id="f-light",
        name="light",
        kind="command",
        params=question.params,
        target=target,
        duration=minute,
        cap=minute,
    )
    with pytest.raises(ApplicationError, match="settings have changed since its targets were found"):
        await host._inject(order)
    assert not lamp.exists() and not other.exists()
    settings.write_text(COMMAND.format(lamp))
    await host.resolve(ResolveOrder(host="local", faults=(question,)))
    assert (await host._inject(order)).state == "active" and lamp.exists()
    await operators.revert({"f-light": "the test is over"})
    assert not lamp.exists()
