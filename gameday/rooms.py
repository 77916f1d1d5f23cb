"""Where a day takes place for its people: the Slack channels of a playbook, and who may stop it from there."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import Field, StringConstraints

from gameday.model import Model

SlackUser = Annotated[str, StringConstraints(pattern=r"^[UW][A-Z0-9]{1,20}$")]
"""A Slack user id, such as U01ABCDEF."""
SlackChannel = Annotated[str, StringConstraints(pattern=r"^[CG][A-Z0-9]{1,20}$")]
"""A Slack channel id, such as C01ABCDEF."""


class AbortFrom(StrEnum):
    """From whom an abort, or the word that an incident is real, is taken."""

    ANYONE = "anyone"
    TEAM = "team"


class Rooms(Model):
    """The day's channels in Slack, by their ids; what is left out is as the settings have it."""

    control: SlackChannel | None = None
    """The control room: who leads the day and who observes it. It sees everything."""
    response: SlackChannel | None = None
    """The response room: the responders' usual incident channel. It sees nothing of a sealed scenario."""
    stakeholders: Annotated[tuple[SlackChannel, ...], Field(max_length=20)] = ()
    """Channels that are told of the start, the all-clear, and a day that does not take place."""
    announced: bool = True
    """Whether the response room is told that a drill is on."""
    own_channel: bool = False
    """Whether the run gets a channel of its own with the team in it, archived at its end with the report."""
