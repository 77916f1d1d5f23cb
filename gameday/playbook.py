"""The playbook: what a game day is, as frozen models. Meanings of every word: docs/playbook.md and docs/language.md.

The docstring below each field is what an editor, an error message and the reference say of it.
"""

from __future__ import annotations

import functools
import zoneinfo
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, ConfigDict, Field, JsonValue, StringConstraints, model_validator

from gameday.language import Expectation, Guardrail, Prediction, Tolerance
from gameday.limits import BlastRadius, Gates, Presence, Rehearsal, Sampling, Share
from gameday.model import Duration, HostName, Line, Model, Name, PositiveDuration, ProbeName, Text, ThingName
from gameday.nearest import nearest
from gameday.rooms import AbortFrom, Rooms, SlackUser

ClockTime = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$")]
"""A local time of day, HH:MM."""

Url = Annotated[str, StringConstraints(pattern=r"^https?://[!-~]{1,1900}$")]
AlertName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,127}$")]


@functools.cache
def _zones() -> set[str]:
    return zoneinfo.available_timezones()


def _zone(name: str) -> str:
    if name not in _zones():
        near = nearest(name, _zones())
        expected = near if "did you mean" in near else "an IANA name such as 'Europe/Berlin'"
        raise ValueError(f"there is no time zone {name!r}; expected {expected}")
    return name


class Times(Model):
    """When the day may begin, the last moment to put a fault on, and when everything must be off again. Local times of one day."""

    start: ClockTime | None = None
    """Before this the day waits."""
    latest_inject: ClockTime | None = None
    """After this nothing is put on any more: a scenario that has not begun stands down."""
    stop: ClockTime | None = None
    """At this time the run is aborted, whatever it is doing."""
    zone: Annotated[str, Field(max_length=64), AfterValidator(_zone)] = "UTC"
    """The time zone of all times of the day, by its IANA name, such as Europe/Berlin."""


class Person(Model):
    """A member of the team. `user` is the operating system's user name, `slack` a Slack user id; either identifies them."""

    name: Line
    """The name that the timeline and the report use."""
    slack: SlackUser | None = None
    """The person's Slack user id, such as U01ABCDEF."""
    user: ThingName | None = None
    """The person's user name on the computer where they type commands."""


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
    """Plans the day, says go, holds, aborts."""
    technical_lead: Person | None = None
    """Knows the system, and repairs by hand if a revert fails."""
    safety: Person | None = None
    """Watches the customers, and may abort."""
    responders: People = ()
    """Who play the incident as if it were real. They see nothing of a sealed scenario."""
    observers: People = ()
    """Who follow and take notes."""
    away: People = ()
    """Who play absent today: the team practises without them."""

    def members(self) -> list[tuple[Role, Person]]:
        """Everyone who is present, with their role, the commander first."""
        single = [(Role.COMMANDER, self.commander), (Role.TECHNICAL_LEAD, self.technical_lead), (Role.SAFETY, self.safety)]
        several = [(Role.RESPONDER, person) for person in self.responders] + [(Role.OBSERVER, person) for person in self.observers]
        return [(role, person) for role, person in single if person] + several


class ChecklistItem(Model):
    """Something to be done or said before the day begins."""

    item: Line
    """What is to be ticked off."""
    owner: Line | None = None
    """Who ticks it: a name from the team."""


class Variable(Model):
    """A value that `--set name=value` may replace; used in the playbook as `${name}`."""

    default: Annotated[str, Field(max_length=2000)] | int | float | bool | None = None
    """The value when --set gives none. Without a default the value must be given."""
    about: Line | None = None
    """What the value is for."""


class Address(Model):
    """Where a server answers."""

    url: Url
    """The base URL, such as http://127.0.0.1:9093."""


class AlertSource(Model):
    """Where alerts are read from: exactly one of the two, by its base URL."""

    alertmanager: Address | None = None
    """An Alertmanager."""
    prometheus: Address | None = None
    """A Prometheus with alerting rules."""

    @model_validator(mode="after")
    def _exactly_one(self) -> AlertSource:
        if (self.alertmanager is None) == (self.prometheus is None):
            raise ValueError("alerts come from exactly one source; expected 'alertmanager: {url: …}' or 'prometheus: {url: …}'")
        return self


class Alerts(Model):
    """Where alerts come from, and which of them this day is meant to raise."""

    source: AlertSource = Field(alias="from")
    """The server that is asked which alerts are firing."""
    expected: Annotated[tuple[AlertName, ...], Field(max_length=100)] = ()
    """Names of alerts that this day is meant to raise: the first of them is the detection."""


class Target(Model):
    """What a fault touches: a host by name, or candidates by label, and one thing on it."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"host": "local", "process": "ledger"}]})

    host: HostName | None = None
    """One host, by its name in the inventory; `local` is the one where gameday runs."""
    hosts: Annotated[dict[ThingName, ThingName], Field(min_length=1, max_length=10)] | None = None
    """Candidates: the hosts that carry all these labels."""
    process: ThingName | None = None
    """A process, by its name."""
    pid_file: Annotated[str, StringConstraints(pattern=r"^/[^\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]{1,400}$")] | None = None
    """A process, by the absolute path of the file that holds its pid."""
    unit: ThingName | None = None
    """A systemd unit."""
    envoy: ThingName | None = None
    """An Envoy proxy, by its name in the settings."""
    database: ThingName | None = None
    """A database, by its name in the settings."""
    count: Share | Annotated[int, Field(ge=1, le=1000)] | None = None
    """How many of the candidates are chosen, as a number or a share such as 30 %; without it, all of them."""

    def things(self) -> dict[str, str]:
        """The things named on the host, such as `{"process": "ledger"}`; a fault takes at most one."""
        named = {key: getattr(self, key) for key in ("process", "pid_file", "unit", "envoy", "database")}
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
    """A name of its own in the scenario, such as ledger-frozen."""
    inject: Annotated[Line, Field(max_length=60)]
    """The kind of fault, such as process.pause; `gameday catalog` lists them."""
    on: Target = Target(host="local")
    """What it touches."""
    with_: dict[str, JsonValue] = Field(default_factory=dict, alias="with", max_length=40)
    """The parameters of the kind; `gameday catalog KIND` explains them."""
    at: Duration = timedelta(0)
    """How long after inject it begins; with `after`, how long after the end of that fault."""
    after: Name | None = None
    """The name of a fault of this scenario that must have ended before."""
    duration: PositiveDuration = Field(default=timedelta(minutes=5), alias="for")
    """How long it stays on at the most."""
    until: Until | None = None
    """Take it off earlier: once people have mitigated it, or detected it."""


class Card(Model):
    """Something that is said to the room at a moment of the scenario, to play the world outside."""

    at: Duration
    """How long after inject it is said."""
    say: Text
    """What is said."""


class Afterwards(Model):
    """After the fault is gone: how long steady state is watched, then talk and rest."""

    steady_for: Duration = timedelta(seconds=10)
    """How long steady state is watched once it is back."""
    recover_within: PositiveDuration = timedelta(minutes=2)
    """How long recovery is waited for at the most."""
    debrief: Duration = timedelta(0)
    """Time to talk it over before the next scenario."""
    break_: Duration = Field(default=timedelta(0), alias="break")
    """Time to rest before the next scenario."""


class Scenario(Model):
    """One hypothesis, tested by one or more faults."""

    title: Line
    """What happens, in a few words."""
    hypothesis: Line
    """What the team believes will happen."""
    planned: ClockTime | None = None
    """The time of day at which it is to begin."""
    sealed: bool = False
    """Keep it secret from the responders until it is revealed."""
    faults: Annotated[tuple[Fault, ...], Field(min_length=1, max_length=50)]
    """The disturbances, at least one."""
    observe: PositiveDuration | None = None
    """How long it is observed after inject at the most; it ends sooner when every fault has ended."""
    expect: Annotated[tuple[Expectation, ...], Field(max_length=50)] = ()
    """What the hypothesis claims; each is judged, and each must hold for the scenario to pass."""
    predict: Annotated[tuple[Prediction, ...], Field(max_length=20)] = ()
    """Questions that people answer before go."""
    cards: Annotated[tuple[Card, ...], Field(max_length=50)] = ()
    """What is said to the room, and when."""
    rollback_plan: Annotated[tuple[Line, ...], Field(max_length=50)] = ()
    """What people do by hand if a revert fails."""
    afterwards: Afterwards = Afterwards()
    """What happens after the faults are gone."""

    def spans(self) -> dict[str, tuple[timedelta, timedelta]]:
        """When each fault begins and ends by its plan, counted from inject; one that waits for another begins after its end."""
        found: dict[str, tuple[timedelta, timedelta]] = {}
        for _ in self.faults:  # enough rounds for any order of `after`
            for fault in self.faults:
                free = found.get(fault.after or "", (timedelta(0), timedelta(0)))[1]
                found[fault.name] = (free + fault.at, free + fault.at + fault.duration)
        return found


MOST_SCENARIOS = 50


class Playbook(Model):
    """A game day: what is to be learned, by whom, on what, and when it must stop."""

    name: Name
    """The name of the day, public even when a scenario is sealed."""
    objective: Line
    """What is to be learned, as a question in one line."""
    environment: Name = "local"
    """Where it takes place, such as staging."""
    times: Times = Times()
    """When it may begin, and when everything must be off."""
    team: Team = Team()
    """Who plays which part."""
    checklist: Annotated[tuple[ChecklistItem, ...], Field(max_length=100)] = ()
    """What must be done before the day begins."""
    variables: Annotated[dict[ProbeName, Variable], Field(max_length=50)] = Field(default_factory=dict)
    """Values that --set may replace, used as ${name}."""
    probes: Annotated[dict[ProbeName, dict[str, JsonValue]], Field(max_length=50)] = Field(default_factory=dict)
    """What is measured: a name for each measurement, and where it comes from."""
    alerts: Alerts | None = None
    """Where alerts come from."""
    sampling: Sampling = Sampling()
    """How often and how patiently the probes are read."""
    steady_state: Annotated[tuple[Tolerance, ...], Field(max_length=50)] = ()
    """What must hold before a scenario, and again after it."""
    abort_when: Annotated[tuple[Guardrail, ...], Field(max_length=50)] = ()
    """Guardrails: when one holds, the run aborts and every fault is taken off."""
    gates: Gates = Gates()
    """Where the run waits for a human go."""
    rehearsal: Rehearsal | None = None
    """Whether the playbook must have been rehearsed before."""
    presence: Presence | Literal["off"] = Presence()
    """Who must be there while a fault is on."""
    abort_from: AbortFrom = AbortFrom.ANYONE
    """Who may abort the day, or call a real incident: `anyone` who can reach it, or the `team` and whoever started the run."""
    rooms: Rooms = Rooms()
    """The day's channels in Slack."""
    blast_radius: BlastRadius = BlastRadius()
    """What the run may touch, at the most."""
    scenarios: Annotated[tuple[Scenario, ...], Field(min_length=1, max_length=MOST_SCENARIOS)]
    """The scenarios, in order, or the keys of the only one at the top level."""

    def asked(self) -> tuple[str, ...]:
        """The hosts that probes and alerts are read from, by name or address."""
        params = [params for spec in self.probes.values() for params in spec.values() if isinstance(params, dict)]
        said = [each.get(key) for each in params for key in ("url", "host")]
        source = self.alerts.source if self.alerts else None
        said += [server.url for server in ((source.alertmanager, source.prometheus) if source else ()) if server]
        hosts = [urlsplit(each).hostname if "//" in each else each for each in said if isinstance(each, str)]
        return tuple(dict.fromkeys(host for host in hosts if host))

    def sources(self) -> tuple[str, ...]:
        """The servers that tell of others, Prometheus and Alertmanager, as `host:port`: without them a day is blind, whatever it breaks."""
        urls = [
            params.get("url") for spec in self.probes.values() for kind, params in spec.items() if kind == "prometheus" and isinstance(params, dict)
        ]
        source = self.alerts.source if self.alerts else None
        urls += [server.url for server in ((source.alertmanager, source.prometheus) if source else ()) if server]
        split = [urlsplit(url) for url in urls if isinstance(url, str)]
        return tuple(dict.fromkeys(f"{url.hostname}:{url.port or (443 if url.scheme == 'https' else 80)}" for url in split if url.hostname))


SCENARIO_KEYS = frozenset(field.alias or name for name, field in Scenario.model_fields.items())
"""What a day of one scenario may write at the top level."""
