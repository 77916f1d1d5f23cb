"""Who a Slack user is: the playbook or the directory says it, by their id. A name that somebody gave themselves counts for nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from control_room.payloads import Who
from gameday.commands import Actor
from gameday.plan import Led, Plan, role_of
from gameday.playbook import Playbook, Role


@dataclass(frozen=True)
class Directory:
    """One workspace, and the team members of the settings by their Slack ids."""

    team: str
    people: Mapping[str, str]

    def actor(self, who: Who, playbook: Led | None, channel: str | None) -> Actor:
        """Somebody as the timeline and the audit log have them."""
        known = self.people.get(who.user)
        found = role_of(playbook, slack=who.user, name=known) if playbook else None
        name = found[1] if found else known or f"Slack user {who.user}"
        via = f"slack {channel}" if channel else "slack"
        return Actor(id=f"slack:{who.team}/{who.user}", name=name, role=found[0] if found else None, via=via)

    def is_ours(self, who: Who) -> bool:
        """Whether they are of this workspace: a channel that is shared has others in it."""
        return who.team == self.team

    def may_look(self, who: Who, plan: Plan) -> bool:
        """Whether they may see into sealed scenarios before the reveal: who leads or observes the day, and who started it."""
        actor = self.actor(who, plan.playbook, None)
        return actor.role is not Role.RESPONDER if actor.role else actor.id == plan.started_by.id

    def slack_id(self, playbook: Playbook, name: str) -> str:
        """A team member's Slack id; empty where nobody knows it."""
        person = next((person for _, person in playbook.team.members() if person.name == name), None)
        return (person.slack if person else None) or next((user for user, known in self.people.items() if known == name), "")

    def users(self, playbook: Playbook, *roles: Role) -> tuple[str, ...]:
        """The Slack ids of everybody with one of these roles; of the whole team without any."""
        names = [person.name for role, person in playbook.team.members() if not roles or role in roles]
        return tuple(dict.fromkeys(filter(None, (self.slack_id(playbook, name) for name in names))))
