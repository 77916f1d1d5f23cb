"""Following one run from now to its end, with the keys and the Ctrl-C of whoever watches."""

from __future__ import annotations

import asyncio
import contextlib
import signal
from collections.abc import Callable, Coroutine, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gameday.cli import context
from gameday.cli.console import Frame
from gameday.cli.farewell import farewell, left_behind
from gameday.cli.keys import Keys
from gameday.cli.saying import BY_ITSELF, make
from gameday.cli.screens import JsonScreen, LiveScreen, PlainScreen, Screen, complain, hush
from gameday.commands import Verb
from gameday.errors import GamedayError, NotFound, Unavailable
from gameday.event import Event, EventKind
from gameday.feed import Feed
from gameday.language import Clock
from gameday.orders import DayResult
from gameday.plan import Plan
from gameday.view import RunView

if TYPE_CHECKING:
    from gameday.settings import Settings
    from worker.embedded import Reached

SHOW_EVERY = 5.0
"""Seconds between two signs that somebody looks at the live view."""
LOOK_EVERY = 0.25
"""Seconds between two looks into the store, and between two pictures."""
LAST_FACTS = 5.0
"""Seconds that the last facts get to reach the store after the run has ended."""
LAST_PROOF = 40.0
"""The same for the proof that its faults are off, when the run was ended from outside."""
LAST_WORDS = 3.0
"""Seconds that what was said last gets to reach the run before its watcher is gone: an abort is tried for 2 s, then sent as a Signal; a
Temporal that is away may lose it, and then that is said."""
INTERRUPTED = 130
AGAIN = "Ctrl-C again leaves without waiting"


class Following:
    """One run, from now to its end. `left` is set when the watcher went before the run did; `ours` says that this command started it."""

    def __init__(self, known: Settings, plan: Plan, reached: Reached, as_json: bool, ours: bool = True) -> None:
        self.known, self.plan, self.reached, self.as_json = known, plan, reached, as_json
        self.store = context.store(known)
        self.feed = Feed(self.store, plan, context.opens_seals(known, plan))
        self.keys = Keys(self.pressed)
        self.live = context.terminal() and not as_json
        self.left = asyncio.Event()
        self.interrupts, self.ours = 0, ours
        self.trouble = ""
        self.telling: set[asyncio.Task[None]] = set()

    @property
    def view(self) -> RunView:
        return self.feed.view

    @property
    def all_off(self) -> bool:
        """Whether no fault of the run is on, as far as the record knows."""
        return not any(row.state in ("armed", "active", "reverting") for row in self.view.faults.values())

    async def run(self, kept: Callable[[], int] = lambda: 0) -> int:
        """Shows the run until it ends or the watcher leaves. Returns the exit status.

        Args:
            kept: how many Ctrl-Cs came while the run was being started; asked once ours are heard here.
        """
        for number, name in ((signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")):
            asyncio.get_running_loop().add_signal_handler(number, self.interrupted, name)
        for _ in range(kept()):
            self.interrupted()
        if not self.live:
            complain(f"{self.plan.run_id} is running; Ctrl-C {'aborts it and waits for the proof' if self.ours else 'leaves it running'}")
        result, showing = asyncio.create_task(self.outcome()), asyncio.create_task(self.show_presence())
        try:
            with self.screen() as screen:
                await self.watch(screen, result)
        finally:
            result.cancel()
            showing.cancel()
        if self.left.is_set():
            if self.telling:  # an abort must not be lost because two Ctrl-Cs came together
                await asyncio.wait(self.telling, timeout=LAST_WORDS)
            return self.leave()
        if result.exception() and not self.as_json:
            print(left_behind(self.view), flush=True)
        ended = result.result()
        farewell(self.known, self.view, self.as_json, ended)
        return ended.exit_code

    @contextlib.contextmanager
    def screen(self) -> Iterator[Screen]:
        """Where the run is shown. The terminal is as it was afterwards, and what was shown last stays readable."""
        if not self.live:
            yield JsonScreen() if self.as_json else PlainScreen()
            return
        from gameday.cli.terminal import listening

        screen = LiveScreen(self.frame)
        try:
            with listening(self.keys.press):
                yield screen
        finally:
            screen.close()
        screen.leave(self.view)

    def frame(self, view: RunView, width: int, height: int) -> Frame:
        from activities.leases import leases

        self.keys.labels = labels(view)
        if self.trouble and not self.keys.answer:
            self.keys.answer = self.trouble
        bottom, instead = self.keys.rows(width), self.keys.help() if self.keys.helping else ()
        return Frame(datetime.now(UTC), width, height, leases(self.known.home, view), bottom=bottom, instead=instead)

    async def watch(self, screen: Screen, result: asyncio.Task[DayResult]) -> None:
        loop = asyncio.get_running_loop()
        last_call: float | None = None
        while not self.left.is_set():
            await self.look(screen)
            if result.done():
                patience, settled = (LAST_PROOF, self.all_off) if result.exception() else (LAST_FACTS, bool(self.view.outcome))
                last_call = last_call or loop.time() + patience
                if settled or loop.time() > last_call:
                    return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.left.wait(), LOOK_EVERY)

    async def look(self, screen: Screen) -> None:
        """What is new, from the store onto the screen."""
        try:
            new = await asyncio.to_thread(self.feed.pull)
            trouble = ""
        except Unavailable as error:
            new, trouble = [], f"the record cannot be read now: {error}"
        if trouble and trouble != self.trouble and not self.live:
            complain(trouble)
        self.trouble = trouble
        try:
            screen.show(self.view, new)
        except BrokenPipeError:
            hush()  # the day is followed to its end all the same: its exit status is worth having
        if not self.live and any(isinstance(item, Event) and item.kind is EventKind.GATE_WAITING for item in new):
            complain(f"it goes on with: gameday go {self.plan.run_id}")

    async def show_presence(self) -> None:
        """Whoever has the live view open is there, in case the day asks; a pipeline or a log is nobody."""
        if not self.live:
            return
        who = context.speaker(self.known, self.plan.playbook).name
        while True:
            with contextlib.suppress(Unavailable):
                await asyncio.to_thread(self.store.show_presence, self.plan.run_id, who, datetime.now(UTC))
            await asyncio.sleep(SHOW_EVERY)

    async def outcome(self) -> DayResult:
        """How the run ended. A Temporal that does not answer is asked again: the run may well go on."""
        from temporalio.service import RPCError, RPCStatusCode

        from worker.client import outcome

        handle = self.reached.client.get_workflow_handle(self.plan.run_id)
        while True:
            try:
                return await outcome(handle, self.plan.run_id)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    raise NotFound(
                        f"this Temporal knows no run {self.plan.run_id}; `gameday report {self.plan.run_id}` tells what was recorded"
                    ) from None
                self.say("Temporal does not answer; still trying. The faults end by their leases")
            await asyncio.sleep(1.0)

    def interrupted(self, by: str = "Ctrl-C") -> None:
        """Ctrl-C: whoever started the run aborts it and waits for the proof, and leaves with a second one; whoever only watches leaves."""
        self.interrupts += 1
        if self.interrupts > 1 or not self.ours:
            self.left.set()
            return
        self.say(f"aborting: everything is taken off and read back. {AGAIN}")
        self.tell(Verb.ABORT, {"reason": by})

    def pressed(self, what: str, text: str) -> None:
        """A key of the live view."""
        match what:
            case "leave":
                self.left.set()
            case "abort":
                self.tell(Verb.ABORT, {"reason": text} if text else {})
            case "hold":
                self.tell(Verb.RESUME if self.view.held else Verb.HOLD, {})
            case "go":
                seen = {"gate": self.view.gate, "targets": self.view.targets_digest}  # whatever comes meanwhile, it is for this and no other
                self.tell(Verb.GO, {key: value for key, value in seen.items() if value})
            case "note":
                self.tell(Verb.NOTE, {"text": text})
            case "detected" | "mitigated":
                self.tell(Verb.MARK, {"clock": Clock(what)})
            case _:
                self.tell(Verb(what), {})

    def tell(self, verb: Verb, fields: dict[str, Any]) -> None:
        self.keep(self.send(verb, fields))

    def keep(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.telling.add(task)
        task.add_done_callback(self.telling.discard)

    async def send(self, verb: Verb, fields: dict[str, Any]) -> None:
        from worker.client import send

        try:
            command = make(verb, context.speaker(self.known, self.plan.playbook), fields)
            if self.live:
                self.say(f"{verb}: sent; no answer yet")
            answer = (await send(self.reached.client, self.plan.run_id, command)).text
        except GamedayError as error:
            answer = f"{verb}: {error}"
            if verb is Verb.ABORT and isinstance(error, Unavailable):  # nothing was aborted: the next Ctrl-C tries it again, and does not leave
                self.interrupts = 0
                answer += f". {BY_ITSELF}" + (". Ctrl-C tries it again" if self.ours else "")
        self.say(answer)

    def say(self, text: str) -> None:
        """Tells the watcher something, where the watcher looks."""
        if self.live:  # one line: the answer to the abort must not take away how to leave without it
            self.keys.answer = f"{text}. {AGAIN}" if self.interrupts and AGAIN not in text else text
        else:
            complain(text)

    def leave(self) -> int:
        """The watcher goes, the run stays."""
        self.reached.leave = True
        run = self.plan.run_id
        if self.telling:
            complain("what was said last may not have reached the run")
        complain(f"{run} goes on without you. Come back with `gameday follow {run}`, end it with `gameday abort {run}`")
        return INTERRUPTED if self.interrupts else 0


def labels(view: RunView) -> Mapping[str, str]:
    """The keys that are of use now, each with what it does."""
    if view.outcome:
        return {"?": "help", "q": "leave"}
    found = {} if view.ending else {"a": "abort"}
    if view.gate:
        found["g"] = "go"
        if view.open_gate and view.open_gate.ready:
            found["r"] = "ready"
    if not view.ending:
        found["h"] = "resume" if view.held else "hold"
    found["n"] = "note"
    if view.injected_at and view.phase:
        marks = (("d", "detected", Clock.DETECT), ("m", "mitigated", Clock.MITIGATE))
        found |= {key: name for key, name, clock in marks if clock not in view.clocks}
    return {**found, "?": "help", "q": "leave it running"}
