"""A fault in the world: its order, its states, how it can end, and the proof that it did."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field, JsonValue

from gameday.by_hand import Errand
from gameday.model import Duration, HostName, Line, Model, Name

LEASE = timedelta(seconds=15)
"""How long a fault lives without being renewed, unless the settings say otherwise. The keeper renews every 3 s."""

DIRTY_AFTER = timedelta(seconds=30)
"""How long a revert may stay unproven before the fault is reported `dirty`, so that the day can end. The revert itself goes on."""


class FaultState(StrEnum):
    PLANNED = "planned"
    ARMED = "armed"
    ACTIVE = "active"
    REVERTING = "reverting"
    ENDED = "ended"


class FaultOutcome(StrEnum):
    REVERTED = "reverted"
    EXPIRED = "expired"
    NEUTRALISED = "neutralised"
    DIRTY = "dirty"
    SPENT = "spent"
    NOT_INJECTED = "not-injected"
    """It never came to a change: refused, failed and taken back, or ended before it was applied."""


class ResolvedTarget(Model):
    """One thing on one host, found before go and frozen: what a fault may touch, and nothing else.

    `facts` is what the injector needs to find exactly this thing again, such as a pid and its start time.
    """

    host: HostName
    thing: Line
    label: Line
    facts: dict[str, JsonValue] = Field(default_factory=dict)
    knobs: tuple[str, ...] = Field(default=(), max_length=1000)
    """What would be turned of it, as names: two faults at once may not share one."""
    digest: str = Field(default="", max_length=64)
    """Of the steps that would be done to it, as its host saw them when the target was found; another inject is refused."""


class FaultOrder(Model):
    """Everything a host needs to put one fault on, and to take it off by itself.

    `lease` is how long it lives unrenewed, `cap` how long at the very most, both from the moment it is armed.
    """

    fault_id: Name
    run_id: Name
    scenario: int
    name: Name
    kind: Line
    params: dict[str, JsonValue] = Field(default_factory=dict)
    target: ResolvedTarget
    duration: Duration
    lease: Duration = LEASE
    cap: Duration
    sealed: bool = False
    momentary: bool = False
    dry: bool = False
    """Nothing is changed: something of gameday's own stands for it."""
    environment: Name | None = None
    """Where the playbook takes place: a host of another environment refuses."""
    errand: Errand | None = None
    """What is asked of somebody in the place of a host, and of whom."""


class StepProof(Model):
    """What the read-back of one step saw: before the fault, and after its revert."""

    step: Line
    before: str = Field(max_length=500)
    after: str = Field(max_length=500)
    state: Line


class FaultStatus(Model):
    """What a host says of one fault after an operation.

    `took_ms` is the injector's own time for the operation; `proof` has one line a step; `problems` says what could not be proven.
    """

    fault_id: Name
    state: FaultState
    outcome: FaultOutcome | None = None
    reason: str = Field(default="", max_length=1000)
    at: datetime
    took_ms: float = 0.0
    proof: tuple[StepProof, ...] = ()
    problems: tuple[str, ...] = ()
    active_at: datetime | None = None
    """When it was on and read back, in what is said of one that has ended; None when it never came so far."""


def list_digest(orders: Iterable[FaultOrder]) -> str:
    """Of a list of targets: the same for exactly the same things, touched in the same way, and for no other."""
    seen = sorted([order.name, order.fault_id, order.target.model_dump_json(exclude={"knobs"})] for order in orders)
    return hashlib.sha256(json.dumps(seen).encode()).hexdigest()[:16]


def fault_id(run_id: str, scenario: int, fault: str, target: str) -> str:
    """The id of a fault, derived, so that a retried attempt finds its journal entry. It tells nothing about what it is."""
    return "f-" + hashlib.sha256("\0".join((run_id, str(scenario), fault, target)).encode()).hexdigest()[:20]
