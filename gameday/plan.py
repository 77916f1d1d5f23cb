"""A plan: a playbook made ready to run, with everything a workflow needs to know and cannot look up."""

from __future__ import annotations

import secrets
import zoneinfo
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, time, timedelta, timezone
from enum import StrEnum
from typing import Protocol

from pydantic import Field

from gameday.by_hand import Errand
from gameday.catalogue import Catalogue
from gameday.commands import Actor
from gameday.errors import BadInput
from gameday.fault import LEASE
from gameday.loading import Loaded
from gameday.model import Duration, Line, Model, Name, ProbeName
from gameday.observation import Steadiness, WatchState, Yardstick
from gameday.playbook import MOST_SCENARIOS, Fault, Playbook, Role, Team, Times
from gameday.probe import Baseline
from gameday.rehearsal import digest, rehearsal_of
from gameday.units import format_duration

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


class RunKind(StrEnum):
    DAY = "day"
    REHEARSAL = "rehearsal"
    """Probes, targets and brakes are tried, each fault for a moment on one target."""
    DRY = "dry-run"
    """The whole day, with nothing changed."""


class Plan(Model):
    """The input of a `GameDay`: the playbook as it will be run, by whom, with times resolved to moments and kinds to facts."""

    run_id: Name
    kind: RunKind = RunKind.DAY
    rehearsed_as: str = Field(default="", max_length=64)
    """The digest of what a rehearsal of this playbook must have tried (gameday/rehearsal.py)."""
    planned_length: Duration = timedelta(hours=1)
    """How long the day's scenarios take by their plan, at the most."""
    past: Duration = timedelta(0)
    """In a rehearsal: how much of the past the guardrails are tried on."""
    playbook: Playbook
    text: str = Field(max_length=300_000)
    values: dict[ProbeName, str] = Field(default_factory=dict)
    """What the playbook's variables were in this run."""
    started_at: datetime
    started_by: Actor
    approved: bool = False
    """Gates open by themselves: the starter approved the whole day in advance."""
    units: dict[ProbeName, str]
    momentary: frozenset[str] = frozenset()
    """The faults that are over in a moment, as `<scenario>/<name>`: ask `is_momentary`."""
    by_hand: frozenset[str] = frozenset()
    """The faults that are asked of somebody, written in the same way: ask `errand`."""
    start_at: datetime | None = None
    latest_inject_at: datetime | None = None
    stop_at: datetime | None = None
    planned_at: tuple[datetime | None, ...] = ()
    lease: Duration = LEASE
    versions: dict[str, Line] = Field(default_factory=dict)

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        return zoneinfo.ZoneInfo(self.playbook.times.zone)

    @property
    def named_alerts(self) -> frozenset[str]:
        """Alerts that the playbook names, as expected or in an expectation: the ones that count as detection."""
        expected = set(self.playbook.alerts.expected) if self.playbook.alerts else set()
        return frozenset(expected | {each.alert for scenario in self.playbook.scenarios for each in scenario.expect if each.alert})

    def is_momentary(self, scenario: int | None, fault: str) -> bool:
        """Whether this fault of this scenario is over in a moment, so that there is nothing to take off."""
        return f"{scenario}/{fault}" in self.momentary

    def is_dry(self, scenario: int, fault: str) -> bool:
        """Whether nothing is changed for this fault. What is over in a moment has no brake to try, and a rehearsal asks nothing of people."""
        untried = self.is_momentary(scenario, fault) or f"{scenario}/{fault}" in self.by_hand
        return self.kind is RunKind.DRY or (self.kind is RunKind.REHEARSAL and untried)

    def errand(self, scenario: int, fault: Fault) -> Errand | None:
        """What this fault asks of somebody, and of whom; None for one that a host carries out."""
        if f"{scenario}/{fault.name}" not in self.by_hand:
            return None
        team, errand = self.playbook.team, Errand.model_validate(fault.with_)
        usual = next((person.name for person in (team.technical_lead, team.commander) if person), self.started_by.name)
        return errand.model_copy(update={"by": errand.by or usual})

    def yardstick(self, baselines: tuple[Baseline, ...] = ()) -> Yardstick:
        return Yardstick(
            units=self.units,
            baselines=baselines,
            steady_state=self.playbook.steady_state,
            abort_when=self.playbook.abort_when,
            unknown_is=self.playbook.sampling.unknown_is,
        )

    def empty_state(self) -> WatchState:
        """What the observer carries when a day opens: nothing yet."""
        return WatchState(steadiness=Steadiness(needed=self.playbook.sampling.steady_samples))


def new_run_id(playbook: str) -> str:
    """Four random characters and the playbook's name: `7kq2-checkout-day`."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(4)) + "-" + playbook[:40].rstrip("-")


def plan(
    loaded: Loaded,
    catalogue: Catalogue,
    by: Actor,
    now: datetime,
    approved: bool = False,
    lease: timedelta = LEASE,
    versions: dict[str, str] | None = None,
    kind: RunKind = RunKind.DAY,
    past: timedelta = timedelta(0),
) -> Plan:
    """Makes a checked playbook ready to run at `now` (aware).

    Raises:
        BadInput: the day's times are over, or there is no such time today.
    """
    playbook = rehearsal_of(loaded.playbook) if kind is RunKind.REHEARSAL else loaded.playbook
    if len(playbook.scenarios) > MOST_SCENARIOS:
        most = f"a rehearsal tries at most {MOST_SCENARIOS} different faults"
        raise BadInput(f"{most}, and this playbook has {len(playbook.scenarios)}; expected fewer")
    moments = _moments(playbook.times, now)
    stop = moments["stop"]
    if stop is not None and stop <= now:
        raise BadInput(f"times.stop {playbook.times.stop} has passed today ({playbook.times.zone}); expected a later stop, or start earlier")
    latest = moments["latest_inject"]
    if latest is not None and latest <= now:
        raise BadInput(
            f"times.latest_inject {playbook.times.latest_inject} has passed today ({playbook.times.zone}): nothing could be injected any more"
        )
    longest = playbook.blast_radius.max_duration
    if lease > max(longest, LEASE):
        raise BadInput(
            f"the lease is {format_duration(lease)} (settings), longer than blast_radius.max_duration ({format_duration(longest)}):"
            " a fault that nobody wants any more would outlive the longest that any may last; expected a shorter lease, or a longer max_duration"
        )
    return Plan(
        run_id=new_run_id(playbook.name),
        kind=kind,
        rehearsed_as=digest(loaded.playbook),
        planned_length=_length(loaded.playbook),
        past=past,
        playbook=playbook,
        text=loaded.text,
        values=loaded.values,
        started_at=now,
        started_by=by,
        approved=approved,
        units={name: _unit(spec, catalogue) for name, spec in playbook.probes.items()},
        momentary=frozenset(_momentary(playbook, catalogue)),
        by_hand=frozenset(
            f"{index}/{fault.name}"
            for index, scenario in enumerate(playbook.scenarios)
            for fault in scenario.faults
            if catalogue.injectors[fault.inject].by_hand
        ),
        start_at=moments["start"],
        latest_inject_at=latest,
        stop_at=stop,
        planned_at=tuple(_moment(scenario.planned, playbook.times.zone, now) for scenario in playbook.scenarios),
        lease=lease,
        versions=versions or {},
    )


def _length(playbook: Playbook) -> timedelta:
    spans = (max(end for _, end in scenario.spans().values()) + scenario.afterwards.recover_within for scenario in playbook.scenarios)
    return min(sum(spans, timedelta(0)), timedelta(days=7))


def _momentary(playbook: Playbook, catalogue: Catalogue) -> Iterator[str]:
    for index, scenario in enumerate(playbook.scenarios):
        for fault in scenario.faults:
            injector = catalogue.injectors[fault.inject]
            if injector.is_momentary(injector.Params.model_validate(fault.with_)):
                yield f"{index}/{fault.name}"


def _unit(spec: Mapping[str, object], catalogue: Catalogue) -> str:
    ((kind, params),) = spec.items()
    return catalogue.probes[kind].Params.model_validate(params or {}).measured_in().name


def _moments(times: Times, now: datetime) -> dict[str, datetime | None]:
    return {name: _moment(getattr(times, name), times.zone, now) for name in ("start", "latest_inject", "stop")}


def _moment(clock: str | None, zone: str, now: datetime) -> datetime | None:
    """A local time of day, today in the playbook's zone, as a moment; the first of two where the clocks are put back over it."""
    if clock is None:
        return None
    local = now.astimezone(zoneinfo.ZoneInfo(zone))
    moment = datetime.combine(local.date(), time.fromisoformat(clock), local.tzinfo)
    if moment.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) != moment.replace(tzinfo=None):
        raise BadInput(f"{clock} does not exist today in {zone}: the clocks are put forward over it; expected another time")
    offset = moment.utcoffset()
    assert offset is not None  # it has a zone
    return moment.replace(tzinfo=timezone(offset))  # two times in one zone are compared by the wall clock, wrong when it is put back


class Led(Protocol):
    """What has a team: a playbook, or what is known of one before it is read whole."""

    @property
    def team(self) -> Team:
        """Who plays which part."""


def role_of(playbook: Led, user: str | None = None, slack: str | None = None, name: str | None = None) -> tuple[Role, str] | None:
    """The role and the name of the team member with this user name, Slack id or, where settings map to one, name."""
    for role, person in playbook.team.members():
        if (user and person.user == user) or (slack and person.slack == slack) or (name and person.name == name):
            return role, person.name
    return None
