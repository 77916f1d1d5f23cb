"""`[slack]` of the settings: the app that the control room speaks through, its rooms, and who is who there. Secrets are references."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from gameday.model import Duration, Line, Model
from gameday.notify import BaseAddress, SecretReference
from gameday.rooms import SlackChannel, SlackUser


def _absolute(path: Path) -> Path:
    if not path.is_absolute():
        raise ValueError(f"{str(path)!r} is not an absolute path")
    return path


class SlackSettings(Model):
    """One Slack app in one workspace. With `app_token` it connects by Socket Mode; with `signing_secret` it serves callbacks; one of the two."""

    bot_token: SecretReference
    app_token: SecretReference | None = None
    signing_secret: SecretReference | None = None
    listen: Annotated[str, StringConstraints(pattern=r"^(127\.0\.0\.1|\[::1\]|0\.0\.0\.0|\[::\]):[0-9]{1,5}$")] = "127.0.0.1:8085"
    """Where callbacks are served, behind a proxy that ends TLS."""
    base_url: BaseAddress = "https://slack.com/api"
    """Where the Web API is: another one for GovSlack."""
    control: SlackChannel | None = None
    response: SlackChannel | None = None
    people: Annotated[dict[SlackUser, Line], Field(max_length=1000)] = Field(default_factory=dict)
    """Team members by Slack user id, where a playbook does not say it."""
    playbooks: Annotated[Path, AfterValidator(_absolute)] | None = None
    """The folder whose playbooks `/gameday start` may start."""
    reaction: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_+'-]{1,80}$")] = "stopwatch"
    """A message with this reaction goes onto the timeline."""

    archive_after: Annotated[Duration, Field(ge=timedelta(0), le=timedelta(hours=8))] = timedelta(hours=1)
    """How long a channel of a run's own stays open after its end: people say there how it was."""

    @model_validator(mode="after")
    def _one_door(self) -> SlackSettings:
        if (self.app_token is None) == (self.signing_secret is None):
            raise ValueError("Slack comes in by one door; expected app_token (Socket Mode) or signing_secret (HTTP callbacks)")
        return self
