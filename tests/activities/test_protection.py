"""What a host's operator keeps from every fault, however a playbook comes to it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError

from activities import kinds, protection
from activities.credentials import Credential
from activities.host import HostActivities
from activities.journal import Journal
from activities.operators import Operators
from gameday.fault import FaultOrder, FaultState
from gameday.orders import FaultQuestion, Resolution, ResolveOrder
from gameday.playbook import Target
from gameday.settings import load_settings

MINUTE = timedelta(minutes=1)
PROTECTED = "\n[hosts.local.processes.till]\npid_file = 'PIDFILE'\nprotected = true\n"


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Path]:
    """A process of its own, by its pid file."""
    process = subprocess.Popen(["sleep", "1000000"], start_new_session=True)
    (tmp_path / "sleeper.pid").write_text(str(process.pid))
    yield tmp_path / "sleeper.pid"
    process.kill()
    process.wait()


class Operated:
    """A host whose settings its operator writes."""

    def __init__(self, root: Path, operators: Operators) -> None:
        self.file, self.home = root / "settings.toml", root / "home"
        self.file.touch()
        self.activities = HostActivities(load_settings(), Journal.at(self.home), kinds.injectors(), operators)

    def says(self, text: str, pid_file: Path | None = None) -> None:
        self.file.write_text(text.replace("PIDFILE", str(pid_file)))

    async def asked(self, question: FaultQuestion, environment: str = "local") -> Resolution:
        return await self.activities.resolve(ResolveOrder(host="local", faults=(question,), environment=environment))


@pytest.fixture
def host(tmp_path: Path, operators: Operators, monkeypatch: pytest.MonkeyPatch) -> Operated:
    monkeypatch.setenv("GAMEDAY_SETTINGS", str(tmp_path / "settings.toml"))
    monkeypatch.setenv("GAMEDAY_HOME", str(tmp_path / "home"))
    (tmp_path / "settings.toml").touch()
    return Operated(tmp_path, operators)


def pause(**on: str) -> FaultQuestion:
    return FaultQuestion(name="frozen", kind="process.pause", on=Target(host="local", **on))


async def test_a_protected_process_is_not_touched_by_whatever_name(host: Operated, sleeper: Path) -> None:
    host.says(PROTECTED, sleeper)
    for question in (pause(process="till"), pause(pid_file=str(sleeper))):
        (said,) = (await host.asked(question)).problems
        assert "is 'till' in the settings of local, and protected: no fault may touch it" in said


async def test_what_is_protected_after_the_go_is_not_touched_either(host: Operated, sleeper: Path) -> None:
    question = pause(pid_file=str(sleeper))
    (target,) = (await host.asked(question)).targets
    assert target is not None
    order = FaultOrder(
        fault_id="f-frozen", run_id="abcd-day", scenario=0, name="frozen", kind="process.pause", target=target, duration=MINUTE, cap=MINUTE
    )
    host.says(PROTECTED, sleeper)
    with pytest.raises(ApplicationError, match="protected: no fault may touch it"):
        await host.activities._inject(order)
    assert Journal.at(host.home).find("f-frozen") is None
    host.says("")
    assert (await host.activities._inject(order)).state is FaultState.ACTIVE
    await host.activities.operators.revert({"f-frozen": "the test is over"})


async def test_where_targets_opt_in_only_what_is_named_is_touched(host: Operated, sleeper: Path) -> None:
    named = "[hosts.local]\nopt_in = true\n[hosts.local.processes.till]\npid_file = 'PIDFILE'\n"
    host.says(named, sleeper)
    assert not (await host.asked(pause(process="till"))).problems
    (said,) = (await host.asked(pause(pid_file=str(sleeper)))).problems
    assert said.endswith("its operator can name it in [hosts.local.processes]") and "on local targets opt in" in said


async def test_another_process_by_the_name_of_one_that_has_opted_in_is_not_touched(host: Operated, sleeper: Path, tmp_path: Path) -> None:
    """A unit `till` is not the operator's process `till`."""
    (tmp_path / "other.pid").write_text(str(os.getpid()))
    host.says("[hosts.local]\nopt_in = true\n[hosts.local.processes.till]\npid_file = 'PIDFILE'\n", sleeper)
    (target,) = (await host.asked(pause(process="till"))).targets
    assert target is not None and not list(protection.refuses(target, host.activities.host))
    host.says("[hosts.local]\nopt_in = true\n[hosts.local.processes.till]\npid_file = 'PIDFILE'\n", tmp_path / "other.pid")
    await host.asked(pause(process="till"))  # the settings are read again
    (said,) = protection.refuses(target, host.activities.host)
    assert "'till' has not; its operator can name it" in said


@pytest.mark.parametrize(
    ("settings", "refused"),
    [
        ("", False),
        ("[hosts.local]\nopt_in = true\n", True),
        ("[hosts.local]\nopt_in = true\nwhole_host = true\n", False),
        ("[hosts.local]\nprotected = true\n", True),
    ],
)
async def test_a_fault_on_the_host_itself_has_its_own_word(host: Operated, settings: str, refused: bool) -> None:
    host.says(settings)
    question = FaultQuestion(name="cut", kind="network.partition", params={"peers": ["192.0.2.1"]}, on=Target(host="local"))
    said = [each for each in (await host.asked(question)).problems if "opt in" in each or "protected" in each]
    assert bool(said) is refused


@pytest.mark.parametrize(("after", "refused"), [(timedelta(minutes=5), True), (timedelta(hours=2), False)])
async def test_an_agent_whose_credentials_end_before_the_faults_do_refuses(host: Operated, sleeper: Path, after: timedelta, refused: bool) -> None:
    now = datetime.now(UTC)
    host.activities.credentials = (Credential("the client certificate for Temporal", now + after),)
    order = ResolveOrder(host="local", faults=(pause(pid_file=str(sleeper)),), until=now + timedelta(hours=1))
    problems = (await host.activities.resolve(order)).problems
    assert bool(problems) is refused
    if refused:
        assert problems[0].startswith("local: the client certificate for Temporal ends at ")


async def test_an_allowed_command_is_named_already_but_not_on_a_protected_host(host: Operated, tmp_path: Path) -> None:
    command = (
        f"[commands.light]\ndo = ['touch', '{tmp_path}/lamp']\nundo = ['rm', '-f', '{tmp_path}/lamp']\ncheck = ['test', '-e', '{tmp_path}/lamp']\n"
    )
    question = FaultQuestion(name="light", kind="command", params={"name": "light"}, on=Target(host="local"))
    host.says("[hosts.local]\nopt_in = true\n" + command)
    assert not (await host.asked(question)).problems
    host.says("[hosts.local]\nprotected = true\n" + command)
    assert [each.split(": ", 1)[1] for each in (await host.asked(question)).problems] == [
        "local is protected: its settings say that nothing on it may be touched ([hosts.local] protected)"
    ]


@pytest.mark.parametrize("environment", ["staging", "production"])
async def test_a_host_refuses_a_playbook_of_another_environment_by_its_own_settings(host: Operated, sleeper: Path, environment: str) -> None:
    host.says("environment = 'production'\n")
    found = (await host.asked(pause(pid_file=str(sleeper)), environment)).problems
    assert found == (
        () if environment == "production" else ("local belongs to production, and this playbook is for staging; expected a host of staging",)
    )
