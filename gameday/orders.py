"""What workflows and activities say to each other: one model in, one model out, each way."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from pydantic import Field, JsonValue

from gameday.event import Event
from gameday.fault import FaultStatus, ResolvedTarget
from gameday.limits import BlastRadius, Sampling
from gameday.model import Duration, HostName, Line, Model, Name, ProbeName
from gameday.observation import Yardstick
from gameday.plan import Plan
from gameday.playbook import Alerts, Target
from gameday.predictions import Measured
from gameday.verdicts import Judgement, Outcome

HEAD_START = timedelta(seconds=4)
"""How long the batched reverts have the server for themselves at the most: many runs may be aborted at once."""


class FaultQuestion(Model):
    """A fault as the playbook has it, when its targets are looked for."""

    name: Name
    kind: Line
    params: dict[str, JsonValue] = Field(default_factory=dict)
    on: Target
    dry: bool = False
    """Only what would be done is asked: nothing will be changed."""


class RehearseOrder(Model):
    """Try every probe, and the guardrails on the past."""

    run_id: Name
    probes: dict[ProbeName, dict[str, JsonValue]]
    alerts: Alerts | None = None
    named_alerts: frozenset[str] = frozenset()
    yardstick: Yardstick
    sampling: Sampling
    past: Duration = timedelta(0)
    """How much of the past; none where it is 0."""
    planned_length: Duration
    """How long the day is by its plan: totals are its own."""


class Checked(Model):
    """What a rehearsal found of one thing: `ok`, `part` (it works, and a commander should know something of it) or `no`."""

    state: Literal["ok", "part", "no"]
    about: Line
    said: str = Field(max_length=600)


class Rehearsed(Model):
    findings: tuple[Checked, ...]


class RehearsalQuestion(Model):
    """When this playbook was rehearsed last, as it is now, and passed."""

    playbook: Name
    rehearsed_as: str = Field(max_length=64)


class RehearsalAnswer(Model):
    at: datetime | None = None
    unknown: str = Field(default="", max_length=300)
    """Why nobody can say."""


class SelectOrder(Model):
    """Which hosts each fault is for; `seed` makes the choice among candidates repeatable."""

    faults: tuple[FaultQuestion, ...]
    seed: int
    radius: BlastRadius = BlastRadius()
    environment: Name = "local"
    until: datetime | None = None
    """When the last fault may be off at the latest."""


class Selection(Model):
    """Host names by fault, in the order of the question; problems are fatal to the scenario. And what the conductor and its Temporal are."""

    hosts: tuple[tuple[HostName, ...], ...] = ()
    problems: tuple[str, ...] = ()
    versions: dict[str, Line] = Field(default_factory=dict)
    conductor: HostName | None = None
    """The host that the conductor is on."""


class ResolveOrder(Model):
    """Asks one host for the targets of these faults, and what stands in their way."""

    host: HostName
    faults: tuple[FaultQuestion, ...]
    needed: tuple[Line, ...] = ()
    """Names and addresses that a fault there may not cut off."""
    sources: tuple[Line, ...] = ()
    """Servers there, as `host:port`, that no fault may stop: the day would be blind."""
    environment: Name = "local"
    """Where the playbook takes place: a host of another environment refuses."""
    until: datetime | None = None
    """When the last fault may be off at the latest."""


class Resolution(Model):
    """One target a fault, in the order of the question (None where there is a problem), the host's clock when it answered, and what its agent is."""

    targets: tuple[ResolvedTarget | None, ...] = ()
    problems: tuple[str, ...] = ()
    clock: datetime
    version: str = Field(default="", max_length=200)


class HostHalted(Model):
    """What a host did when it was halted: each fault that was on, and what could not be done."""

    statuses: tuple[FaultStatus, ...] = ()
    problems: tuple[str, ...] = ()


class RevertOrder(Model):
    """Take these faults off. Without `patience` it is tried once; with it, until proven or the patience is over."""

    faults: tuple[Name, ...] = Field(max_length=2000)
    reason: str = Field(max_length=900)
    patience: Duration = timedelta(0)
    forever: bool = False
    """Fail (and be retried) rather than return unproven."""


class RevertResult(Model):
    statuses: tuple[FaultStatus, ...]


class WriteOrder(Model):
    """Events for the record, and at the start of a run its plan."""

    events: tuple[Event, ...] = ()
    plan: Plan | None = None


class AnalyzeOrder(Model):
    run_id: Name
    scenario: int


class Analysis(Model):
    """What the record says of a scenario: its expectations judged, and its outcome."""

    judgements: tuple[Judgement, ...]
    outcome: Outcome
    measured: tuple[Measured, ...] = ()
    """What people were asked to predict, as it came."""


class ReportOrder(Model):
    run_id: Name


class ReportResult(Model):
    path: str


class WantsAnswer(Model):
    """The faults that a run still wants. One that is not listed is taken off."""

    faults: tuple[Name, ...] = ()


class DayResult(Model):
    """How a run ended."""

    run_id: Name
    outcome: Outcome
    exit_code: int
    reason: str = ""
    report: str = ""


class EndedBy(StrEnum):
    """What may end a day early; the first wins."""

    ABORT = "abort"
    REAL = "real"
    GUARDRAIL = "guardrail"
    BLIND = "blind"
    PRESENCE = "presence"
    STOP_TIME = "stop"
    CANCELLED = "cancelled"
    ERROR = "error"


class Ending(Model):
    """Why a day ends before its time."""

    by: EndedBy
    reason: str = Field(max_length=1000)
    actor: Line | None = None
    said: dict[str, JsonValue] = Field(default_factory=dict)
    """Of a person's: who said it, where, and by which id."""


class FaultLine(Model):
    """One fault in the live view."""

    fault_id: Name
    name: Name
    label: Line
    kind: Line
    state: Line
    outcome: Line | None = None
    ends_at: datetime | None = None
    until: Line | None = None


class LiveState(Model):
    """The answer of the `view` query: where a run is now."""

    run_id: Name
    playbook: Name
    commander: Line
    phase: Line | None = None
    scenario: int | None = None
    gate: Line | None = None
    gate_until: datetime | None = None
    held: bool = False
    ending: Ending | None = None
    faults: tuple[FaultLine, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
