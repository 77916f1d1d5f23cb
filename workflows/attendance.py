"""Whether somebody who may decide is there while a fault is on, and what happens when nobody is."""

from __future__ import annotations

from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from gameday.commands import Command, may_decide
    from gameday.event import EventKind
    from gameday.limits import Presence, Unattended
    from gameday.observation import Attendance, ObserveResult
    from gameday.orders import EndedBy, Ending
    from gameday.plan import Plan, RunKind
    from gameday.playbook import Role
    from workflows.predicted import Predicted


class Attended(Predicted):
    """Who has been there, from commands and from what the observer saw in the store."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.there_at = plan.started_at
        """When somebody who may decide was there last, as far as the day knows."""
        self.asked_at: datetime | None = None
        """When it was asked whether somebody is still there; None while somebody is."""
        self.waived = False

    def hear(self, command: Command) -> None:
        if not command.relayed and may_decide(self.known(command.actor), self.moment()):
            self.seen(workflow.now(), self.known(command.actor).name)

    def seen(self, at: datetime, name: str) -> None:
        """Somebody is there."""
        self.there_at, self.waived = max(self.there_at, at), False
        if self.asked_at is not None:
            self.asked_at = None
            self.diary.tell(EventKind.PRESENCE_BACK, scenario=self.now.index if self.now else None, name=name)

    def attendance(self) -> Attendance | None:
        """What the observer is to look for; None where nobody need be there."""
        presence = self.plan.playbook.presence
        if not isinstance(presence, Presence) or self.waived or self.plan.kind is RunKind.DRY:
            return None
        asked = self.asked_at is not None
        since = self.asked_at or self.there_at
        until = since + (presence.answer_within if asked else presence.within)
        return Attendance(since=since, until=until, within=presence.within, names=self.deciders, asked=asked)

    @property
    def deciders(self) -> tuple[str, ...]:
        """Whose presence counts; nobody in particular where the playbook has no team."""
        team = self.plan.playbook.team
        if not team.members():
            return ()
        leading = [person.name for role, person in team.members() if role in (Role.COMMANDER, Role.TECHNICAL_LEAD, Role.SAFETY)]
        return tuple(dict.fromkeys([*leading, self.plan.started_by.name, *([self.handed_to] if self.handed_to else [])]))

    def heed_attendance(self, result: ObserveResult) -> None:
        """After the observer has come back: takes note of who it saw; asks, or ends the day, where nobody was there for too long."""
        if result.present is not None and result.present_at is not None and result.present_at > (self.asked_at or self.there_at):
            self.seen(result.present_at, result.present)
        presence = self.plan.playbook.presence
        if result.ended != "alone" or not isinstance(presence, Presence):
            return
        scenario, now = self.now.index if self.now else None, workflow.now()
        since = self.there_at.isoformat()
        if self.asked_at is None:
            if now - self.there_at >= presence.within:  # nor did a command come meanwhile
                self.asked_at = now
                self.diary.tell(EventKind.PRESENCE_LOST, scenario=scenario, since=since, until=(now + presence.answer_within).isoformat())
        elif now - self.asked_at >= presence.answer_within:
            self.waived = True
            if presence.then is Unattended.GO_ON:
                self.diary.tell(EventKind.PRESENCE_WAIVED, scenario=scenario, since=since)
            else:
                reason = f"nobody with authority was there for {(now - self.there_at).total_seconds() / 60:.0f} min, and nobody answered"
                self.end(Ending(by=EndedBy.PRESENCE, reason=reason))
