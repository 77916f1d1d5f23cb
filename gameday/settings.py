"""Settings: where things are kept, which hosts and commands there are, who is who. A TOML file, overridden by GAMEDAY_* in the environment."""

from __future__ import annotations

import os
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from gameday.errors import SettingsError
from gameday.model import Duration, HostName, Line, Model, Name, ProbeName, ThingName
from gameday.notify import Notifiers
from gameday.slack import SlackSettings

Argv = Annotated[tuple[Annotated[str, StringConstraints(min_length=1, max_length=4000)], ...], Field(min_length=1, max_length=100)]


class ProcessSettings(Model):
    """How a process is found on its host (one of pid_file, name, unit), and how it is started again."""

    pid_file: Annotated[str, StringConstraints(pattern=r"^/[^\x00\n]{1,400}$")] | None = None
    name: ThingName | None = None
    unit: ThingName | None = None
    restart: Argv | None = None
    protected: bool = False
    """No fault may touch it, whatever a playbook says."""


class EnvoySettings(Model):
    """An Envoy's admin endpoint, on the loopback of its host."""

    admin: Annotated[str, StringConstraints(pattern=r"^(127\.0\.0\.1|\[::1\]):[0-9]{1,5}$")]
    protected: bool = False


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError(f"{str(path)!r} is not an absolute path")
    return path


class DatabaseSettings(Model):
    """A PostgreSQL database: the absolute path of a file, private to the agent's user, that holds its URL with user and password."""

    url_file: Annotated[Path, AfterValidator(_absolute)]
    protected: bool = False


class HostSettings(Model):
    """One host: its labels, what on it may be a target by name, and what no fault may touch."""

    labels: dict[ThingName, ThingName] = Field(default_factory=dict)
    environment: Name | None = None
    """Where it belongs, such as production: only a playbook of this environment may touch it. Without it, the environment of the settings."""
    protected: bool = False
    """Nothing on it may be touched."""
    opt_in: bool = False
    """Only what is named below may be touched; `whole_host` says it for faults on the host itself."""
    whole_host: bool = False
    processes: dict[ThingName, ProcessSettings] = Field(default_factory=dict)
    envoys: dict[ThingName, EnvoySettings] = Field(default_factory=dict)
    databases: dict[ThingName, DatabaseSettings] = Field(default_factory=dict)


class ArgumentSettings(Model):
    """What one argument of an allowed command may be. A `name` never begins with a dash, so it cannot become an option."""

    type: Literal["integer", "name", "choice"] = "name"
    min: int = 0
    max: int = 2**31
    choices: tuple[Line, ...] = ()


class ProbeSettings(Model):
    """What probes may ask beyond what they may anyway: networks, such as `169.254.10.0/24`."""

    allow: Annotated[tuple[IPv4Network | IPv6Network, ...], Field(max_length=100)] = ()


class CommandSettings(Model):
    """A command that playbooks may choose by name. `{argument}` in a word stands for a typed argument.

    `check` exits 0 when the command is applied and 1 when it is not; `undo` must be repeatable.
    """

    do: Argv
    undo: Argv
    check: Argv
    timeout: Annotated[Duration, Field(ge=timedelta(milliseconds=100), le=timedelta(minutes=5))] = timedelta(seconds=10)
    arguments: dict[ProbeName, ArgumentSettings] = Field(default_factory=dict)


def _home(path: Path) -> Path:
    path = path.expanduser()
    if not path.is_absolute():  # from another folder it would be another home, with nothing in it
        raise ValueError(f"{str(path)!r} depends on the folder that one is in; expected an absolute path, such as /var/lib/gameday")
    return path


def default_home() -> Path:
    """`$GAMEDAY_HOME`, else `$XDG_DATA_HOME/gameday`, else `~/.local/share/gameday`."""
    if os.environ.get("GAMEDAY_HOME"):
        try:
            return _home(Path(os.environ["GAMEDAY_HOME"]))
        except ValueError as error:
            raise SettingsError(f"GAMEDAY_HOME: {error}") from None
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share").absolute() / "gameday"


class Settings(BaseSettings):
    """All settings, with what they are when nothing is said."""

    model_config = SettingsConfigDict(env_prefix="GAMEDAY_", env_nested_delimiter="__", frozen=True, extra="forbid")

    home: Annotated[Path, AfterValidator(_home)] = Field(default_factory=default_home)
    host: HostName = "local"
    """The name under which this machine's agent serves faults."""
    environment: Name | None = None
    """Where the hosts belong that say nothing of it themselves; unset, every playbook may touch them."""
    store: Annotated[str, Field(max_length=500)] | None = None
    """A database URL; SQLite under `home` when unset."""
    temporal_binary: Path | None = None
    lease: Annotated[Duration, Field(ge=timedelta(seconds=15), le=timedelta(minutes=10))] = timedelta(seconds=15)
    hosts: dict[HostName, HostSettings] = Field(default_factory=dict)
    commands: dict[Name, CommandSettings] = Field(default_factory=dict)
    probes: ProbeSettings = ProbeSettings()
    people: dict[ThingName, Line] = Field(default_factory=dict)
    """Team members by the operating system's user name."""
    notify: Notifiers = Field(default_factory=dict)
    """How people are called, each way by a name of its own."""
    slack: SlackSettings | None = None
    """The Slack app of the control room (`gameday slack`)."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, settings_file())

    @property
    def store_url(self) -> str:
        return self.store or f"sqlite:///{self.home / 'gameday.db'}"

    def environment_of(self, host: str) -> str | None:
        """Where a host belongs, as far as these settings say."""
        known = self.hosts.get(host)
        return (known.environment if known else None) or self.environment

    def here(self) -> HostSettings:
        """What is known of this machine as a host."""
        return self.hosts.get(self.host, HostSettings())


def settings_file() -> Path:
    """The file that settings are read from: `$GAMEDAY_SETTINGS`, else `settings.toml` in the home."""
    named = os.environ.get("GAMEDAY_SETTINGS")
    return Path(named).expanduser() if named else default_home() / "settings.toml"


def load_settings() -> Settings:
    """The settings of this process.

    Raises:
        SettingsError: the file or an environment variable is wrong; the message names each key.
    """
    named = os.environ.get("GAMEDAY_SETTINGS")
    if named and not settings_file().is_file():
        raise SettingsError(f"GAMEDAY_SETTINGS names {named}, and there is no such file")
    try:
        return Settings()
    except ValidationError as error:
        from gameday.explain import in_words

        lines = [f"{'.'.join(map(str, each['loc']))}: {in_words(each)}" for each in error.errors()]
        raise SettingsError(f"{settings_file()} or GAMEDAY_* in the environment: " + "; ".join(lines)) from None
    except ValueError as error:
        raise SettingsError(f"{settings_file()} is not valid TOML: {error}") from None
