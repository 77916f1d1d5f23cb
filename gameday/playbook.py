"""The playbook: what a game day is, as frozen models. Meanings of every word: docs/playbook.md and docs/language.md."""

from __future__ import annotations

import zoneinfo
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, StringConstraints

from gameday.language import Expectation, Guardrail, Prediction, Tolerance
from gameday.model import Duration, HostName, Line, Model, Name, PositiveDuration, ProbeName, Text, ThingName

ClockTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A local time of day, HH:MM."""


def _zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise ValueError(f"there is no time zone {name!r}; expected an IANA name such as 'Europe/Berlin'")
    return name


class Times(Model):
    """When the day may begin, the last moment to put a fault on, and when everything must be off again. Local times."""

    start: ClockTime | None = None
    latest_inject: ClockTime | None = None
    stop: ClockTime | None = None
    zone: Annotated[str, Field(max_length=64), AfterValidator(_zone)] = "UTC"


class Person(Model):
    """A member of the team. `user` is the operating system's user name, `slack` a Slack user id; either identifies them."""

    name: Line
    slack: Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{1,20}$")] | None = None
    user: ThingName | None = None


class Role(StrEnum):
    COMMANDER = "commander"
    TECHNICAL_LEAD = "technical_lead"
    SAFETY = "safety"
    RESPONDER = "responder"
    OBSERVER = "observer"


People = Annotated[tuple[Person, ...], Field(max_length=100)]


class Team(Model):
    """Who plays which part. `away` are people who play absent today, to practise without them."""

    commander: Person | None = None
    technical_lead: Person | None = None
    safety: Person | None = None
    responders: People = ()
    observers: People = ()
    away: People = ()

    def members(self) -> list[tuple[Role, Person]]:
        """Everyone who is present, with their role, the commander first."""
        single = [(Role.COMMANDER, self.commander), (Role.TECHNICAL_LEAD, self.technical_lead), (Role.SAFETY, self.safety)]
        several = [(Role.RESPONDER, person) for person in self.responders] + [(Role.OBSERVER, person) for person in self.observers]
        return [(role, person) for role, person in single if person] + several


class ChecklistItem(Model):
    item: Line
    owner: Line | None = None


class Variable(Model):
    """A value that `--set name=value` may replace; used in the playbook as `${name}`."""

    default: Annotated[str, Field(max_length=2000)] | int | float | bool | None = None
    about: Line | None = None


class AlertSource(Model):
    """Where alerts are read from: exactly one of the two, by its base URL."""

    alertmanager: dict[Literal["url"], Annotated[str, Field(max_length=2000)]] | None = None
    prometheus: dict[Literal["url"], Annotated[str, Field(max_length=2000)]] | None = None


class Alerts(Model):
    """Where alerts come from, and which of them this day is meant to raise."""

    source: AlertSource = Field(alias="from")
    expected: Annotated[tuple[Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")], ...], Field(max_length=100)] = ()


class Target(Model):
    """What a fault touches: a host by name, or candidates by label, and one thing on it."""

    host: HostName | None = None
    hosts: Annotated[dict[ThingName, ThingName], Field(min_length=1, max_length=10)] | None = None
    process: ThingName | None = None
    pid_file: Annotated[str, StringConstraints(pattern=r"^/[^\x00\n]{1,400}$")] | None = None
    unit: ThingName | None = None
    envoy: ThingName | None = None
    count: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]? ?%$|^100 ?%$")] | Annotated[int, Field(ge=1, le=1000)] | None = None

    def things(self) -> dict[str, str]:
        """The things named on the host, such as `{"process": "ledger"}`; a fault takes at most one."""
        named = {key: getattr(self, key) for key in ("process", "pid_file", "unit", "envoy")}
        return {key: value for key, value in named.items() if value is not None}

    def __str__(self) -> str:
        place = self.host or ", ".join(f"{key}={value}" for key, value in (self.hosts or {}).items())
        return ", ".join([place, *(f"{key} {value}" for key, value in self.things().items())])


class Until(StrEnum):
    MITIGATED = "mitigated"
    DETECTED = "detected"


class Fault(Model):
    """One planned disturbance. `at` counts from the scenario's inject, or, with `after`, from the end of the fault named there."""

    name: Name
    inject: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*$", max_length=60)]
    on: Target = Target(host="local")
    with_: dict[str, JsonValue] = Field(default_factory=dict, alias="with", max_length=40)
    at: Duration = timedelta(0)
    after: Name | None = None
    duration: PositiveDuration = Field(default=timedelta(minutes=5), alias="for")
    until: Until | None = None


class Card(Model):
    """Something that is said to the room at a moment of the scenario, to play the world outside."""

    at: Duration
    say: Text


class Afterwards(Model):
    """After the fault is gone: how long steady state is watched, then talk and rest."""

    steady_for: Duration = timedelta(seconds=10)
    recover_within: PositiveDuration = timedelta(minutes=2)
    debrief: Duration = timedelta(0)
    break_: Duration = Field(default=timedelta(0), alias="break")


class Scenario(Model):
    """One hypothesis, tested by one or more faults."""

    title: Line
    hypothesis: Line
    planned: ClockTime | None = None
    sealed: bool = False
    faults: Annotated[tuple[Fault, ...], Field(min_length=1, max_length=50)]
    observe: PositiveDuration | None = None
    expect: Annotated[tuple[Expectation, ...], Field(max_length=50)] = ()
    predict: Annotated[tuple[Prediction, ...], Field(max_length=20)] = ()
    cards: Annotated[tuple[Card, ...], Field(max_length=50)] = ()
    rollback_plan: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    afterwards: Afterwards = Afterwards()


class Gate(Model):
    """A wait for a human go. Silence past `timeout` means no."""

    timeout: PositiveDuration = timedelta(minutes=15)
    ready: Annotated[int, Field(ge=0, le=100)] = 0
    checklist: bool = False


class Gates(Model):
    """Before the day, and before each inject. `off` opens a gate by itself."""

    day: Gate | Literal["off"] = "off"
    inject: Gate | Literal["off"] = Gate()


class BlastRadius(Model):
    """What a run may touch, at the most."""

    hosts: Annotated[tuple[HostName, ...], Field(max_length=1000)] | None = None
    max_targets: Annotated[int, Field(ge=1, le=1000)] = 20
    max_concurrent: Annotated[int, Field(ge=1, le=1000)] = 20
    max_duration: PositiveDuration = timedelta(hours=1)


class Sampling(Model):
    """How the world is watched."""

    every: Annotated[Duration, Field(ge=timedelta(milliseconds=100), le=timedelta(minutes=5))] = timedelta(seconds=1)
    timeout: Annotated[Duration, Field(ge=timedelta(milliseconds=50), le=timedelta(minutes=1))] = timedelta(seconds=1)
    baseline: Annotated[Duration, Field(le=timedelta(hours=1))] = timedelta(seconds=30)
    baseline_samples: Annotated[int, Field(ge=0, le=1000)] = 5
    steady_samples: Annotated[int, Field(ge=1, le=1000)] = 5
    unknown_for: PositiveDuration = timedelta(seconds=30)


class Playbook(Model):
    """A game day: what is to be learned, by whom, on what, and when it must stop."""

    name: Name
    objective: Line
    environment: Name = "local"
    times: Times = Times()
    team: Team = Team()
    checklist: Annotated[tuple[ChecklistItem, ...], Field(max_length=100)] = ()
    variables: Annotated[dict[ProbeName, Variable], Field(max_length=50)] = Field(default_factory=dict)
    probes: Annotated[dict[ProbeName, dict[str, JsonValue]], Field(max_length=50)] = Field(default_factory=dict)
    alerts: Alerts | None = None
    sampling: Sampling = Sampling()
    steady_state: Annotated[tuple[Tolerance, ...], Field(max_length=50)] = ()
    abort_when: Annotated[tuple[Guardrail, ...], Field(max_length=50)] = ()
    gates: Gates = Gates()
    blast_radius: BlastRadius = BlastRadius()
    scenarios: Annotated[tuple[Scenario, ...], Field(min_length=1, max_length=50)]
