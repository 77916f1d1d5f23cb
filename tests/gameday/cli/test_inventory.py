"""Names in a playbook that this machine's settings do not know: warned of at their place, and never in the way of anything."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gameday.inventory import look_up
from gameday.settings import CommandSettings, EnvoySettings, HostSettings, ProcessSettings, Settings

Gameday = Callable[..., subprocess.CompletedProcess[str]]

DAY = """\
name: names-day
objective: Who knows these names?
variables: {where: {default: shop-1}}
scenarios:
  - title: First
    hypothesis: Nothing happens
    faults:
FAULTS
"""
FAULT = "      - {{name: f-{}, inject: {}}}\n"

KNOWN = Settings(
    host="shop-1",
    hosts={
        "shop-1": HostSettings(
            labels={"app": "checkout", "zone": "a"},
            processes={"ledger": ProcessSettings(pid_file="/run/ledger.pid"), "checkout": ProcessSettings()},
            envoys={"edge": EnvoySettings(admin="127.0.0.1:9901")},
        ),
        "shop-2": HostSettings(labels={"app": "ledger", "zone": "b"}),
    },
    commands={"read-only-disk": CommandSettings(do=("true",), undo=("true",), check=("true",))},
)
NOTHING = Settings()


def text_of(*faults: str) -> str:
    return DAY.replace("FAULTS\n", "".join(FAULT.format(number, fault) for number, fault in enumerate(faults)))


def warned(fault: str, known: Settings = KNOWN, **values: str) -> list[tuple[str, str, str, str]]:
    """Of each warning: the text that it points at, the field, what is doubtful, what was expected."""
    text = text_of(fault)
    looked = look_up(text.encode(), values, known)
    assert all(each.warning for each in looked.warnings)
    lines = text.splitlines()
    return [(re.split(r"[,}]", lines[each.line - 1][each.column - 1 :])[0], each.field, each.message, each.expected) for each in looked.warnings]


ON, WITH = "scenarios[0].faults[0].on", "scenarios[0].faults[0].with"
OWN_NAME = "it is looked for by its own name"
DOUBTS = {
    "a host": (
        "process.pause, on: {host: shop-11, process: ledger}",
        ("shop-11", f"{ON}.host", "this machine's settings know no host 'shop-11'", "did you mean 'shop-1'?"),
    ),
    "no host at all, where nobody is called local": (
        "command, with: {name: read-only-disk}",
        ("{name: f-0", f"{ON}.host", "this machine's settings know no host 'local'", "one of shop-1, shop-2"),
    ),
    "a label": (
        "process.pause, on: {hosts: {app: ledgr}, process: ledger}",
        ("{app: ledgr", f"{ON}.hosts", "no host in this machine's settings has app=ledgr", "did you mean 'app=ledger'?"),
    ),
    "labels that no host has together": (
        "process.pause, on: {hosts: {app: ledger, zone: a}, process: ledger}",
        ("{app: ledger", f"{ON}.hosts", "no host in this machine's settings has app=ledger, zone=a", "labels that one host has together"),
    ),
    "a process": (
        "process.pause, on: {host: shop-1, process: ledgr}",
        ("ledgr", f"{ON}.process", f"the settings name no process 'ledgr' on shop-1: {OWN_NAME}", "did you mean 'ledger'?"),
    ),
    "a process, on a host that a label chooses": (
        "process.pause, on: {hosts: {app: checkout}, process: check-out}",
        ("check-out", f"{ON}.process", f"the settings name no process 'check-out' on shop-1: {OWN_NAME}", "did you mean 'checkout'?"),
    ),
    "an Envoy": (
        "http.fault, on: {host: shop-1, envoy: shop}",
        ("shop", f"{ON}.envoy", "the settings name no Envoy 'shop' on shop-1", "'edge', the only one"),
    ),
    "a command": (
        "command, on: {host: shop-1}, with: {name: read-only-disc}",
        ("read-only-disc", f"{WITH}.name", "this machine's settings allow no command 'read-only-disc'", "did you mean 'read-only-disk'?"),
    ),
}


@pytest.mark.parametrize(("fault", "found"), DOUBTS.values(), ids=DOUBTS)
def test_a_name_that_the_settings_do_not_know_is_doubted_at_its_place(fault: str, found: tuple[str, str, str, str]) -> None:
    assert warned(fault) == [found]


@pytest.mark.parametrize(
    "fault",
    [
        "process.pause, on: {host: shop-1, process: ledger}",
        "process.pause, on: {hosts: {app: checkout, zone: a}, process: checkout}",
        "process.pause, on: {host: shop-2, process: anything}",  # its own settings may name it, and it may be found by its name
        "process.pause, on: {host: shop-1, pid_file: /run/any.pid}",
        "process.pause, on: {host: shop-1, unit: any.service}",
        "http.fault, on: {host: shop-1, envoy: edge}",
        "command, on: {host: shop-1}, with: {name: read-only-disk}",
        "process.pause, on: {host: '${where}', process: ledger}",
        "process.pause, on: {host: '${nowhere}', process: '${nothing}'}",
        "process.pause, on: nonsense",
        "process.pause, on: {host: [1], hosts: 3, process: {a: b}}",
    ],
)
def test_what_is_known_or_no_name_at_all_is_not_doubted(fault: str) -> None:
    assert warned(fault) == []


def test_a_variable_is_looked_up_with_its_value() -> None:
    (found,) = warned("process.pause, on: {host: '${where}', process: ledger}", where="shop-3")
    assert found[2] == "this machine's settings know no host 'shop-3'"


def test_a_day_of_one_scenario_has_its_own_places() -> None:
    text = "name: d\nfaults:\n  - {name: f, inject: process.pause, on: {host: shop-3, process: ledger}}\n"
    (found,) = look_up(text.encode(), {}, KNOWN).warnings
    assert (found.line, found.field) == (3, "faults[0].on.host")


def test_where_the_settings_name_nothing_nothing_is_doubted_and_all_is_told() -> None:
    faults = [
        "process.pause, on: {host: local, process: ledger}",
        "process.pause, on: {host: db-1, process: ledger}",
        "process.kill, on: {host: db-1, process: ledger}",
        "process.pause, on: {hosts: {app: shop}, process: ledger}",
        "http.fault, on: {host: local, envoy: edge}",
        "command, with: {name: read-only-disk}",
    ]
    looked = look_up(text_of(*faults).encode(), {}, NOTHING)
    assert looked.warnings == []
    assert looked.unchecked == ["host 'db-1'", "hosts with app=shop", "envoy 'edge' on local", "command 'read-only-disk'"]


@pytest.mark.parametrize("raw", [b"", b"\xff", b"[1, 2]", b"a: &b 1", b"scenarios: 3", b"faults: {a: b}", b"scenarios: [{faults: [3, {on: []}]}]"])
def test_what_is_no_playbook_is_for_others_to_say(raw: bytes) -> None:
    assert look_up(raw, {}, KNOWN) == look_up(b"", {}, NOTHING)


WHOLE = """\
name: names-day
objective: Who knows these names?
probes: {up: {tcp: {host: 127.0.0.1, port: 9}}}
abort_when: ['up > 5 s for 20s']
hypothesis: Nothing happens
expect: ['recovered within 10s']
steady_state: ['up < 1s']
faults:
  - {name: frozen, inject: process.pause, on: {host: local, process: ledgr}, for: 20s}
"""
SETTINGS = "[hosts.local.processes.ledger]\npid_file = '/run/ledger.pid'\n"
SAID = """\
{0}:9:70  warning: the settings name no process 'ledgr' on local: it is looked for by its own name
     9 |   - {{name: frozen, inject: process.pause, on: {{host: local, process: ledgr}}, for: 20s}}
       |                                                                      ^ did you mean 'ledger'?
1 warning.
"""


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    (tmp_path / "day.yaml").write_text(WHOLE)
    (tmp_path / "settings.toml").write_text(SETTINGS)
    return tmp_path / "day.yaml", tmp_path / "settings.toml"


def test_validate_warns_and_lets_it_pass(files: tuple[Path, Path], gameday: Gameday) -> None:
    playbook, settings = files
    done = gameday("validate", str(playbook), GAMEDAY_SETTINGS=str(settings))
    assert done.stdout == SAID.format(playbook) + f"{playbook}: this playbook can be run; mind the warnings.\n"
    assert done.returncode == 0
    told = json.loads(gameday("validate", str(playbook), "--json", GAMEDAY_SETTINGS=str(settings)).stdout)
    assert ([each["line"] for each in told["problems"]], told["valid"], told["unchecked"]) == ([9], True, [])


def test_validate_has_the_names_beside_other_problems(files: tuple[Path, Path], gameday: Gameday) -> None:
    playbook, settings = files
    playbook.write_text(WHOLE.replace("objective: ", "objectiv: "))
    done = gameday("validate", str(playbook), GAMEDAY_SETTINGS=str(settings))
    assert "did you mean 'objective'?" in done.stdout
    assert "did you mean 'ledger'?" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(", 1 warning. Nothing was started.")
    assert done.returncode == 2


def test_run_shows_the_same_before_it_begins(files: tuple[Path, Path], gameday: Gameday) -> None:
    playbook, settings = files
    done = gameday("run", str(playbook), GAMEDAY_SETTINGS=str(settings), GAMEDAY_STORE="sqlite:////dev/null/x.db")
    assert done.stderr.startswith(SAID.format(playbook))
    assert done.returncode == 5  # the store of this test is none


def test_a_machine_without_such_settings_says_so_in_one_line(files: tuple[Path, Path], gameday: Gameday) -> None:
    playbook, _ = files
    assert gameday("validate", str(playbook)).stdout == f"{playbook}: this playbook can be run.\n"
    playbook.write_text(WHOLE.replace("host: local, process: ledgr", "host: db-1, process: ledgr"))
    done = gameday("validate", str(playbook))
    assert done.returncode == 0
    assert done.stdout.splitlines() == [
        f"{playbook}: not looked up: host 'db-1'; this machine's settings name nothing of the kind",
        f"{playbook}: this playbook can be run.",
    ]


def test_settings_that_cannot_be_read_do_not_fail_a_playbook(files: tuple[Path, Path], gameday: Gameday) -> None:
    playbook, settings = files
    settings.write_text("nonsense = 3\n")
    done = gameday("validate", str(playbook), GAMEDAY_SETTINGS=str(settings))
    assert done.returncode == 0
    assert done.stdout.splitlines()[0].startswith("hosts and commands were not looked up: ")


def test_a_playbook_from_a_pipe_is_read_once(files: tuple[Path, Path], empty_home: Path) -> None:
    _, settings = files
    done = subprocess.run(
        ["bash", "-c", f'exec {sys.executable} -m gameday validate <(printf %s "$DAY")'],
        env={**os.environ, "DAY": WHOLE, "GAMEDAY_SETTINGS": str(settings)},
        capture_output=True,
        text=True,
        timeout=60,
        cwd=Path(__file__).parents[3],
    )
    assert done.stdout.splitlines()[0].endswith(f"on local: {OWN_NAME}; did you mean 'ledger'?"), done.stderr
    assert done.returncode == 0


def test_what_a_command_is_given_is_looked_at_as_its_host_will(tmp_path: Path, gameday: Gameday) -> None:
    """Not in pre-check, when the team is in the room."""
    settings = tmp_path / "settings.toml"
    settings.write_text(
        "[commands.touch]\ndo = ['touch', '/tmp/{n}']\nundo = ['rm', '/tmp/{n}']\ncheck = ['test', '-e', '/tmp/{n}']\n"
        "arguments = {n = {type = 'integer', max = 5}}\n"
    )
    playbook = tmp_path / "day.yaml"
    playbook.write_text(text_of("command, with: {name: touch, arguments: {n: 9}}", "command, with: {name: touch, arguments: {m: 1, n: 2}}"))
    said = gameday("validate", str(playbook), GAMEDAY_SETTINGS=str(settings)).stdout
    assert "the argument 'n' of the command 'touch' is 9" in said and "expected a whole number from 0 to 5" in said
    assert "the command 'touch' takes no argument 'm'" in said


ASKING = b"""name: day
objective: Why?
hypothesis: So
probes:
  web: {http: {url: 'http://169.254.169.254/latest/meta-data'}}
  odd: {tcp: {host: '2852039166', port: 80}}
  own: {http: {url: 'http://127.0.0.1/'}}
  fires: {alert: {alert: Down, from: {prometheus: {url: 'http://[fe80::1]:9090'}}}}
alerts: {from: {alertmanager: {url: 'http://169.254.10.1:9093'}}}
faults: [{name: f, inject: process.pause, on: {host: local, process: x}}]
"""


def test_an_address_that_no_probe_is_let_to_is_told_before_the_day() -> None:
    found = look_up(ASKING, {}, Settings()).warnings
    assert [(each.field, each.message) for each in found] == [
        ("probes.web.http.url", "169.254.169.254 is a cloud's metadata service: no probe asks it"),
        ("probes.fires.alert.from.prometheus.url", "fe80::1 is link-local: no probe asks it"),
        ("alerts.from.alertmanager.url", "169.254.10.1 is link-local: no probe asks it"),
        ("probes.odd.tcp.host", "2852039166 is a cloud's metadata service: no probe asks it"),
    ]
    allowed = Settings.model_validate({"probes": {"allow": ["169.254.0.0/16", "fe80::/10"]}})
    assert look_up(ASKING, {}, allowed).warnings == []
