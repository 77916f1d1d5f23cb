"""The limits of a day: where it waits for people, who must be there, what it may touch, and how patiently it is watched.

Words of a playbook, as `gameday.playbook` has them; the docstring below each field is what an editor, an error message and the reference say of it.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from gameday.model import Duration, HostName, Model, Name, PositiveDuration

Share = Annotated[str, StringConstraints(pattern=r"^([1-9][0-9]?|100) ?%$")]
"""A part of the candidates, such as `30 %`."""


class Gate(Model):
    """A wait for a human go. Silence past `timeout` means no."""

    timeout: PositiveDuration = timedelta(minutes=15)
    """How long it waits; silence means no, and the run stands down."""
    ready: Annotated[int, Field(ge=0, le=100)] = 0
    """How many people must have said ready before a go is accepted."""
    checklist: bool = False
    """Whether every item of the checklist must be ticked before a go is accepted."""
    two_people: bool = False
    """Whether somebody else than whoever started the run must say go: the commander, the technical lead or safety."""


class Gates(Model):
    """Before the day, and before each inject. `off` opens a gate by itself."""

    day: Gate | Literal["off"] = "off"
    """Before the day begins."""
    inject: Gate | Literal["off"] = Gate()
    """Before each inject."""


class Unattended(StrEnum):
    """What happens when nobody with authority is there while a fault is on."""

    ABORT = "abort"
    GO_ON = "go-on"


class Presence(Model):
    """While a fault is on, somebody who may decide must be there: the commander, the technical lead, safety, or whoever started the run."""

    within: Annotated[PositiveDuration, Field(ge=timedelta(seconds=10))] = timedelta(minutes=10)
    """How long none of them need show: by any command, or by the live view."""
    answer_within: Annotated[PositiveDuration, Field(ge=timedelta(seconds=5))] = timedelta(minutes=2)
    """How long the question whether somebody is still there, and the safety officer who is called by it, are waited for."""
    then: Unattended = Unattended.ABORT
    """What happens when nobody answers."""


class BlastRadius(Model):
    """What a run may touch, at the most."""

    hosts: Annotated[tuple[HostName, ...], Field(max_length=1000)] | None = None
    """The only hosts that may be touched; without it, every host of the inventory."""
    environments: Annotated[tuple[Name, ...], Field(min_length=1, max_length=20)] | None = None
    """The only environments that the day may take place in; without it, the one that the playbook names."""
    max_targets: Annotated[int, Field(ge=1, le=1000)] = 20
    """How many targets one scenario may touch."""
    max_share: Share | None = None
    """How many of the candidates one scenario may touch, as a share such as 30 %."""
    min_healthy: Annotated[int, Field(ge=1, le=1000)] | None = None
    """How many of the candidates must be left untouched, each with an agent that answers."""
    max_concurrent: Annotated[int, Field(ge=1, le=1000)] = 20
    """How many faults may be on at the same time."""
    max_duration: PositiveDuration = timedelta(hours=1)
    """How long any fault may last."""


class Unseen(StrEnum):
    """What a guardrail makes of a sample that is not known."""

    BREACH = "breach"
    PASSED_OVER = "passed-over"


class Sampling(Model):
    """How the world is watched."""

    every: Annotated[Duration, Field(ge=timedelta(milliseconds=100), le=timedelta(minutes=5))] = timedelta(seconds=1)
    """How often every probe is read."""
    timeout: Annotated[Duration, Field(ge=timedelta(milliseconds=50), le=timedelta(minutes=1))] = timedelta(seconds=1)
    """How long one reading may take; after that the sample is unknown."""
    baseline: Annotated[Duration, Field(le=timedelta(hours=1))] = timedelta(seconds=30)
    """How long the baseline is measured before each scenario, at the least."""
    baseline_samples: Annotated[int, Field(ge=0, le=1000)] = 5
    """How many samples of each probe the baseline is made of at the least, however short it is."""
    steady_samples: Annotated[int, Field(ge=1, le=1000)] = 5
    """How many good samples in a row mean that steady state is back."""
    unknown_for: PositiveDuration = timedelta(seconds=30)
    """How long probes may give no answer before the run aborts."""
    unknown_is: Unseen = Unseen.BREACH
    """What a sample that is not known is to a guardrail: a breach, or passed over, as if it had not been taken. It is never a good one."""


class Rehearsal(Model):
    """The day is not begun unless what it needs has been tried (`gameday rehearse`)."""

    within: PositiveDuration
    """How old the last rehearsal that passed may be."""
