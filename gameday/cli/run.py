"""Starting a run and following it to its end."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gameday.cli import context
from gameday.cli.following import Feed, LiveScreen, Screen, complain, screen_for
from gameday.cli.playbooks import load_checked
from gameday.cli.saying import make
from gameday.commands import Verb
from gameday.errors import BadInput, GamedayError, Unavailable
from gameday.language import Clock
from gameday.orders import DayResult
from gameday.plan import Plan
from gameday.plan import plan as make_plan
from gameday.view import RunView

if TYPE_CHECKING:
    from temporalio.client import Client

    from activities.store import RunStore
    from gameday.settings import Settings
    from worker.embedded import Reached

LOOK_EVERY = 0.25
LAST_FACTS = 5.0
"""Seconds that the last facts get to reach the store after the run has ended."""


def run_playbook(path: Path, detach: bool, values: list[str], approve: str, as_json: bool, junit: Path | None) -> int:
    if approve not in ("ask", "auto"):
        raise BadInput(f"--approve {approve!r}: expected 'ask' or 'auto'")
    loaded = load_checked(path, values)
    if loaded is None:
        return 2
    known = context.settings()
    made = make_plan(
        loaded,
        _catalogue(),
        context.speaker(known, loaded.playbook),
        datetime.now(UTC),
        approved=approve == "auto",
        lease=known.lease,
        versions=_versions(),
    )
    return context.carry_out(_run(known, made, detach, as_json, junit))


def follow_run(run: str, as_json: bool) -> int:
    known = context.settings()
    opened = context.store(known)
    found = opened.plan(context.which(opened, run))
    assert found is not None  # `which` found it
    return context.carry_out(_follow_again(known, found, as_json))


def _catalogue() -> Any:
    from activities.kinds import catalogue

    return catalogue()


def _versions() -> dict[str, str]:
    import platform
    from importlib.metadata import version

    found = {name: version(name) for name in ("gameday", "temporalio", "pydantic")}
    return {**found, "python": platform.python_version(), "kernel": f"{platform.system()} {platform.release()}"}


async def _run(known: Settings, made: Plan, detach: bool, as_json: bool, junit: Path | None) -> int:
    from worker.client import start
    from worker.embedded import temporal

    async with temporal(known) as reached:
        await start(reached.client, made)
        if detach:
            reached.leave = True
            print(json.dumps({"run": made.run_id}) if as_json else f"{made.run_id} is started; `gameday follow {made.run_id}`")
            return 0
        code = await Following(known, made, reached, as_json).run()
    if junit is not None:
        from reports.junit import junit as as_junit

        junit.write_text(as_junit(context.store(known).read(made.run_id)), encoding="utf-8")
    return code


async def _follow_again(known: Settings, made: Plan, as_json: bool) -> int:
    from worker.embedded import temporal

    async with temporal(known) as reached:
        return await Following(known, made, reached, as_json).run()


class Following:
    """One run, from now to its end, with the keys and the Ctrl-C of whoever watches."""

    def __init__(self, known: Settings, plan: Plan, reached: Reached, as_json: bool) -> None:
        from activities.store import RunStore

        self.known, self.plan, self.reached, self.as_json = known, plan, reached, as_json
        self.view = RunView(plan, plan.started_at)
        self.store: RunStore = RunStore(known.store_url)
        self.live = context.terminal() and not as_json
        self.left = asyncio.Event()
        self.interrupts = 0
        self.telling: set[asyncio.Task[None]] = set()
        self.keys: Any = None

    @property
    def client(self) -> Client:
        return self.reached.client

    async def run(self) -> int:
        from worker.client import outcome

        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self.interrupted)
        loop.add_signal_handler(signal.SIGTERM, self.interrupted)
        result = asyncio.create_task(outcome(self.client.get_workflow_handle(self.plan.run_id), self.plan.run_id))
        screen = screen_for(self.view, self.as_json, self.live, self.known.home)
        try:
            await self._until_end(screen, result)
        finally:
            screen.close()
        if not result.done():
            result.cancel()
            self.reached.leave = True
            complain(f"left running: {self.plan.run_id}. `gameday follow {self.plan.run_id}`, or `gameday abort {self.plan.run_id}`")
            return 0
        return self._farewell(result.result())

    async def _until_end(self, screen: Screen, result: asyncio.Task[DayResult]) -> None:
        from gameday.cli.keys import Keys, listening

        feed = Feed(self.store, self.view)
        if not isinstance(screen, LiveScreen):
            return await self._loop(screen, feed, result)
        self.keys = Keys(self.pressed)
        with listening(self.keys):
            return await self._loop(screen, feed, result)

    async def _loop(self, screen: Screen, feed: Feed, result: asyncio.Task[DayResult]) -> None:
        loop = asyncio.get_running_loop()
        last_call: float | None = None
        while not self.left.is_set():
            if isinstance(screen, LiveScreen) and self.keys is not None:
                screen.hint = self.keys.hint
            try:
                items = await asyncio.to_thread(feed.pull)
            except Unavailable as error:
                items = []
                if not self.live:
                    complain(f"the record cannot be read now: {error}")
            screen.show(items)
            if result.done():
                last_call = last_call or loop.time() + LAST_FACTS
                if self.view.outcome or loop.time() > last_call:
                    return
            await asyncio.wait({result, asyncio.create_task(asyncio.sleep(LOOK_EVERY))}, timeout=LOOK_EVERY)

    def interrupted(self) -> None:
        """Ctrl-C: the first aborts and waits for the proof, the second leaves."""
        self.interrupts += 1
        if self.interrupts == 1:
            complain("\naborting; everything is taken off and read back (Ctrl-C again leaves without waiting)")
            self.tell(Verb.ABORT, {"reason": "Ctrl-C"})
        else:
            self.left.set()

    def pressed(self, what: str, text: str) -> None:
        """A key of the live view."""
        match what:
            case "leave":
                self.left.set()
            case "abort":
                self.tell(Verb.ABORT, {"reason": text} if text else {})
            case "hold":
                self.tell(Verb.RESUME if self.view.held else Verb.HOLD, {})
            case "note":
                self.tell(Verb.NOTE, {"text": text})
            case "detected" | "mitigated":
                self.tell(Verb.MARK, {"clock": Clock(what)})
            case _:
                self.tell(Verb(what), {})

    def tell(self, verb: Verb, fields: dict[str, Any]) -> None:
        self._spawn(self._tell(verb, fields))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self.telling.add(task)
        task.add_done_callback(self.telling.discard)

    async def _tell(self, verb: Verb, fields: dict[str, Any]) -> None:
        from worker.client import send

        try:
            command = make(verb, context.speaker(self.known, self.plan.playbook), fields)
            answer = (await send(self.client, self.plan.run_id, command)).text
        except GamedayError as error:
            answer = str(error)
        if self.keys is not None:
            self.keys.answer = answer
        else:
            complain(answer)

    def _farewell(self, result: DayResult) -> int:
        """The end of it: what is left behind, how it went, where the report is."""
        if self.as_json:
            print(json.dumps({"result": result.model_dump(mode="json")}), flush=True)
            return result.exit_code
        faults = [row for row in (*self.view.past_faults, *self.view.faults.values()) if row.active_at]
        counted = Counter(row.outcome or "unproven" for row in faults)
        how = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counted.items()))
        print()
        if counted["dirty"] or counted["unproven"]:
            print(f"NOT PROVEN CLEAN: {how}; it is tried again for ever. `gameday leftovers` on the host tells more")
        else:
            print(f"nothing is left behind: {len(faults)} fault{'s' * (len(faults) != 1)}{', ' if how else ''}{how}, 0 dirty")
        print(f"{result.outcome:<9} {result.reason or self.plan.playbook.objective}")
        print(f"report    {result.report or f'none yet; `gameday report {self.plan.run_id}` writes it'}", flush=True)
        return result.exit_code
