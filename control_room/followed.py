"""One run as the control room follows it: its record, as everybody may see it and as a responder may, turned into letters for its rooms.

What was told is remembered with the letter that tells it, so a restart tells nothing twice and forgets nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from slack_sdk.models.blocks import ButtonElement

from control_room import control, response, stakeholders
from control_room.blocks import BUTTON, actions, built, button, context, cut, harmless, mention, plain, section
from control_room.identity import Directory
from control_room.outbox import Letter, Outbox
from control_room.runs import Leases
from gameday.by_hand import Asked, Half, asked_in, open_errands
from gameday.errors import GamedayError
from gameday.event import Event, EventKind
from gameday.feed import Feed
from gameday.lines import Line
from gameday.plan import Plan, RunKind
from gameday.playbook import Role
from gameday.rooms import Rooms
from gameday.verdicts import Outcome

PICTURE_OF_NOW = timedelta(seconds=60)
"""How old the beginning of a phase may be to get a picture of its own; of older ones only the last has one, since it shows what is now."""
CALLED_WITHIN = timedelta(minutes=10)
"""How old an event may be for which somebody is called in person."""
ERRANDS = frozenset({EventKind.FAULT_ASKED, EventKind.FAULT_ACTIVE, EventKind.FAULT_ENDED, EventKind.RUN_ENDED})
"""After these other things are wanted of people than before."""
MOST_SAID = 2900
"""Characters of one message in a thread."""
LIVE_EVERY = 3.0
"""Seconds between two changes of the control room's message."""


class Followed:
    """A run in its rooms. `open` and `veiled` are its views as they were read last: each is another object after each reading, and stays as it is."""

    def __init__(self, feeds: tuple[Feed, Feed], plan: Plan, rooms: Rooms, outbox: Outbox, directory: Directory, leases: Leases) -> None:
        self._feeds = feeds
        self._plan, self._said, self._outbox, self._directory, self._leases = plan, rooms, outbox, directory, leases
        self.open, self.veiled = (feed.view.copy() for feed in feeds)
        self.pictures_due: list[Event] = []
        self.over = False
        self.hides = any(scenario.sealed for scenario in plan.playbook.scenarios)
        """Whether there is anything to hide from anybody."""
        self._own = ""
        self._veiled_because: str | None = None if self.hides else ""
        if self.hides:
            self._take_back()
        self._left: Mapping[str, float] = {}
        self._changed = 0.0
        self._new: tuple[list[Event], list[Event]] = ([], [])
        self._had: tuple[list[Event], list[Event]] = ([], [])
        self._again, self._dropped = False, outbox.dropped

    @property
    def plan(self) -> Plan:
        return self._plan

    @property
    def control(self) -> str:
        return self._said.control or ""

    @property
    def own(self) -> str:
        """The run's own channel, once it is there; it is told all that was told before."""
        return self._own

    @own.setter
    def own(self, channel: str) -> None:
        self._again = self._again or channel != self._own
        self._own = channel

    @property
    def veils_control(self) -> bool:
        """Whether the control room sees no more than a responder may."""
        return self._veiled_because != ""

    @property
    def veiled_because(self) -> str | None:
        """Why it is so: a responder is in it, or nobody knows; empty where nothing is kept from it. What was, is told it then.

        None until somebody has looked for the first time: so long it is told nothing.
        """
        return self._veiled_because

    @veiled_because.setter
    def veiled_because(self, why: str | None) -> None:
        if self._veiled_because is None or bool(why) != bool(self._veiled_because):
            self._again = True
        if why and not self._veiled_because:
            self._take_back()
        self._veiled_because = why

    def _take_back(self) -> None:
        """What waits for Slack was written for other eyes."""
        for what in ("control", "thread", "picture"):
            self._outbox.withdraw(self.key(what))

    @property
    def respond_in(self) -> tuple[str, ...]:
        """The channels that see what a responder may."""
        return tuple(filter(None, (self._said.response, self.own)))

    @property
    def rooms(self) -> frozenset[str]:
        return frozenset(filter(None, (self.control, *self.respond_in)))

    @property
    def announced(self) -> bool:
        """Whether responders and everybody else may know that a drill is on."""
        return self._said.announced

    @property
    def wants_own(self) -> bool:
        return self._said.own_channel and self._plan.kind is RunKind.DAY

    def key(self, *parts: str) -> str:
        return "/".join((self._plan.run_id, *parts))

    def pull(self) -> None:
        """Reads what is new, for everybody and for responders. Asks the store and the disk: not for the event loop."""
        for new, feed in zip(self._new, self._feeds, strict=True):
            new.extend(item for item in feed.pull() if isinstance(item, Event))
        self.open, self.veiled = (feed.view.copy() for feed in self._feeds)
        try:
            self._left = self._leases(self.open)
        except (GamedayError, OSError):  # how long a lease still runs is of less use than all the rest
            self._left = {}

    def tell(self, now: float) -> None:
        """Puts what is new into the outbox, and what could not be put there the last time; all there is, where somebody may see more than before."""
        again, self._again = self._again or self._outbox.dropped != self._dropped, False
        self._dropped = self._outbox.dropped
        everything, public = ([*had, *new] if again else list(new) for had, new in zip(self._had, self._new, strict=True))
        try:
            self._tell(everything, public, now)
        except BaseException:
            self._again = again or self._again
            raise
        for had, new in zip(self._had, self._new, strict=True):
            had.extend(new)
            new.clear()

    def _tell(self, everything: Sequence[Event], public: Sequence[Event], now: float) -> None:
        if self.control and self.veiled_because is not None:
            shown = public if self.veils_control else everything
            self._show_control(now, bool(shown))
            self._tell_thread(shown)
        if self.veiled_because:
            self._call_in_person(everything)
        self._ask_in_person(everything)
        for channel in self.respond_in:
            self._tell_responders(channel, public)
        for channel in self._said.stakeholders:
            self._tell_stakeholders(channel, everything)
        self.over = bool(self.open.outcome)

    def _show_control(self, now: float, changed: bool) -> None:
        if not changed and now - self._changed < LIVE_EVERY:
            return
        if self.over and not changed:
            return
        self._changed = now
        view = self.veiled if self.veils_control else self.open
        text, blocks = control.message(view, datetime.now(UTC), {} if self.veils_control else self._left, self._directory)
        self._outbox.put(Letter(self.key("control"), self.control, text, tuple(blocks), live=True))

    def _tell_thread(self, events: Sequence[Event]) -> None:
        view = self.veiled if self.veils_control else self.open
        lines = {line.event: line for line in view.lines}
        told = self._outbox.told(self.key("thread", event.id) for event in events)
        fresh = [(event, lines[event.id]) for event in events if event.id in lines and self.key("thread", event.id) not in told]
        plain_ones: list[tuple[Event, Line]] = []
        for event, line in fresh:
            calling = self._calling(event, line)
            if calling is None:
                plain_ones.append((event, line))
            else:
                self._put_lines(plain_ones)
                plain_ones = []
                self._outbox.put(calling, [self.key("thread", event.id)])
        self._put_lines(plain_ones)
        if not self.veils_control:
            began = [event for event, _ in fresh if event.kind is EventKind.PHASE_BEGAN]
            self.pictures_due += [event for event in began if datetime.now(UTC) - event.at < PICTURE_OF_NOW] or began[-1:]

    def _put_lines(self, lines: Iterable[tuple[Event, Line]]) -> None:
        """Several lines in one message: a room is read, not scrolled."""
        held: list[tuple[Event, str]] = []
        for event, line in lines:
            said = cut(control.told(line, self._plan.zone), MOST_SAID)
            if held and sum(len(each) + 1 for _, each in held) + len(said) > MOST_SAID:
                self._put_message(held)
                held = []
            held.append((event, said))
        if held:
            self._put_message(held)

    def _put_message(self, held: Sequence[tuple[Event, str]]) -> None:
        text = "\n".join(said for _, said in held)
        letter = Letter(self.key("thread", held[0][0].id), self.control, text, tuple(built([section(text)])), thread=self.key("control"))
        self._outbox.put(letter, [self.key("thread", event.id) for event, _ in held])

    def _calling(self, event: Event, line: Line) -> Letter | None:
        """What somebody has to do something about: in the room itself, with who that is."""
        called = self._called(event)
        if called is None:
            return None
        roles, buttons = called
        who = " ".join(mention(user) for user in self._users(roles))
        text = f"{who} {control.told(line, self._plan.zone)}".strip()
        blocks = built([section(text), *actions("call", buttons)])
        return Letter(
            self.key("thread", event.id), self.control, cut(harmless(line.said), 300), tuple(blocks), thread=self.key("control"), broadcast=True
        )

    def _called(self, event: Event) -> tuple[tuple[Role, ...], list[ButtonElement]] | None:
        """Who has to do something about an event, and with which buttons; None for nobody."""
        run = {"run": self._plan.run_id}
        match event.kind:
            case EventKind.GATE_WAITING:
                return (Role.COMMANDER,), []
            case EventKind.PRESENCE_LOST:
                return (Role.SAFETY, Role.COMMANDER, Role.TECHNICAL_LEAD), [button("here", "I am here", run, "primary")]
            case EventKind.FAULT_DIRTY:
                return (Role.TECHNICAL_LEAD, Role.COMMANDER), []
            case EventKind.ALERT_FIRING if event.text("class") == "unexpected":
                return (Role.COMMANDER,), control.stopping(self.open)
            case EventKind.BREACH | EventKind.ABORTED | EventKind.REAL_CALLED:
                return (Role.COMMANDER, Role.SAFETY), []
            case _:
                return None

    def _call_in_person(self, events: Sequence[Event]) -> None:
        """The same, where the room must not know: each is told in a message of their own. What they can say is in the app's home."""
        lines = {line.event: line for line in self.open.lines}
        for event in events:
            called, line = self._called(event), lines.get(event.id)
            late = datetime.now(UTC) - event.at > CALLED_WITHIN
            if called is None or line is None or late or self._outbox.known(self.key("thread", event.id)):
                continue
            text = f"{plain(self._plan.playbook.name)}: {control.told(line, self._plan.zone)}"
            blocks = built([section(text), context(f"The app's home has what you can say to `{self._plan.run_id}`."), *actions("call", called[1])])
            until = (event.at + CALLED_WITHIN).timestamp()
            for user in self._users(called[0]):
                self._outbox.put(Letter(self.key("call", event.id, user), user, cut(harmless(line.said), 300), tuple(blocks), until=until))

    def _users(self, roles: Sequence[Role]) -> tuple[str, ...]:
        """The Slack ids of those with these roles, as they are now: who has been handed the command has it."""
        found = self._directory.users(self._plan.playbook, *roles)
        if Role.COMMANDER not in roles or not self.open.commander:
            return found
        before = self._directory.users(self._plan.playbook, Role.COMMANDER)
        now = self._directory.slack_id(self._plan.playbook, self.open.commander)
        return tuple(dict.fromkeys(filter(None, (now, *(user for user in found if user not in before)))))

    def _ask_in_person(self, events: Sequence[Event]) -> None:
        """What somebody is to do by hand they are asked in person: of a sealed scenario nobody else may know it."""
        if not any(event.kind in ERRANDS for event in events):
            return
        by_hand = [event for event in (*self._had[0], *self._new[0]) if event.kind in ERRANDS]
        errands = open_errands(by_hand)
        for event in by_hand:
            if event.kind is EventKind.FAULT_ASKED and self._is_late(event, errands):  # asked before, and not wanted any more
                self._outbox.withdraw(self.key("asked", event.id))
        for event in events:
            if event.kind is not EventKind.FAULT_ASKED:
                continue
            user = self._directory.slack_id(self._plan.playbook, event.text("by"))
            key = self.key("asked", event.id)
            if not user or self._outbox.known(key) or self._is_late(event, errands):
                continue
            carried = {"run": self._plan.run_id, "fault": event.text("name"), "half": event.text("what")}
            sealed = event.scenario is not None and self._plan.playbook.scenarios[event.scenario].sealed
            secret = "\n_Nobody else knows of it: keep it to yourself._" if sealed else ""
            said = f"*{plain(self._plan.playbook.name)}* asks you to do something by hand: *{plain(event.text('text'))}*{secret}"
            blocks = built([section(said), *actions("asked", [button("done", "Done", carried, "primary")])])
            text, until = f"{self._plan.playbook.name} asks you: {harmless(event.text('text'))}", self._use(event)
            self._outbox.put(Letter(key, user, text, tuple(blocks), until=until.timestamp() if until else 0.0))

    def _is_late(self, event: Event, errands: Mapping[str, tuple[str, Asked]]) -> bool:
        """Nobody is asked to do anything that nothing waits for any more."""
        _, asked = errands.get(event.text("name"), ("", None))
        until = self._use(event)
        return asked != asked_in(event) or (until is not None and (bool(self.open.outcome) or until < datetime.now(UTC)))

    def _use(self, event: Event) -> datetime | None:
        """Until when it is of use to ask; None where it always is: an undo is waited for until it is done, also once the run is over."""
        asked = asked_in(event)
        return asked.until if asked.half is Half.DO else None

    def _tell_responders(self, channel: str, events: Sequence[Event]) -> None:
        view = self.veiled
        if view.plan.kind is not RunKind.DAY:  # a rehearsal and a dry run are nobody's business here
            return
        announced = self._said.announced or channel == self.own
        live = self.key("response", channel)
        if announced and (events or not self._outbox.known(live)):
            text, blocks = response.announcement(view)
            self._outbox.put(Letter(live, channel, text, tuple(blocks), live=True))
        for event in events:
            if event.kind not in response.TOLD or (not announced and event.text("outcome") == Outcome.STOOD_DOWN):
                continue  # of a day that nobody announced and that did not take place it has heard nothing
            said = response.post(event, view)
            key = self.key("response", channel, "late" if event.kind is EventKind.FAULT_ENDED else event.id)
            if said is not None and not self._outbox.known(key):
                self._outbox.put(Letter(key, channel, said[0], tuple(said[1])))

    def _tell_stakeholders(self, channel: str, events: Sequence[Event]) -> None:
        for event in events:
            said = stakeholders.post(event, self.open) if event.kind in stakeholders.TOLD else None
            if said is not None:
                key = self.key("stakeholders", channel, "late" if event.kind is EventKind.FAULT_ENDED else event.id)
                self._outbox.put(Letter(key, channel, said[0], tuple(said[1])))

    def put_picture(self, event: Event, path: Path) -> None:
        """A picture of the main probes as a phase begins, into the thread; nothing where the room may not see it any more."""
        if self.veils_control:
            return
        title = f"{event.text('phase')}, scenario {(event.scenario or 0) + 1}"
        self._outbox.put(Letter(self.key("picture", event.id), self.control, title, thread=self.key("control"), file=str(path)))

    @property
    def afterwards(self) -> int:
        """How many notes there are that were written once the run was over."""
        ended = self.open.ended_at
        return sum(event.kind is EventKind.NOTE and event.at > ended for event in self._had[0]) if ended else 0

    def has_report(self, notes: int) -> bool:
        """Whether the report with so many notes of afterwards is on its way, to every room that it goes to."""
        return all(self._outbox.known(self._report_key(channel, notes)) for channel in self._readers)

    def put_report(self, path: Path, notes: int) -> None:
        """The report, into the control room's thread, and into a channel of the run's own. `notes`: how many of afterwards are in it."""
        more = f", with {notes} note{'s' * (notes != 1)} since its end" if notes else ""
        title = cut(f"Report of {plain(self._plan.playbook.name)}{more}", BUTTON)
        for channel in self._readers:
            thread = self.key("control") if channel == self.control else ""
            self._outbox.put(Letter(self._report_key(channel, notes), channel, title, thread=thread, file=str(path)))

    @property
    def _readers(self) -> tuple[str, ...]:
        return tuple(filter(None, (self.control, self.own)))

    def _report_key(self, channel: str, notes: int) -> str:
        return self.key("report", channel, str(notes))
