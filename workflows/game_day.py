"""The day reads as the day."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

with workflow.unsafe.imports_passed_through():
    from gameday.by_hand import label
    from gameday.event import EventKind
    from gameday.fault import FaultOutcome, FaultState, FaultStatus
    from gameday.observation import Purpose
    from gameday.orders import DayResult, EndedBy, Ending
    from gameday.plan import Plan, RunKind
    from gameday.playbook import Scenario, Until
    from gameday.predictions import Measured
    from gameday.record import Phase
    from gameday.units import format_duration
    from gameday.verdicts import EXIT_CODES, Outcome, worst
    from workflows import ask
    from workflows.commands import Interrupted
    from workflows.fault import Fault
    from workflows.gates import Gated
    from workflows.scenario import LiveFault, Now, tell_fault
    from workflows.shield import FAILURES, both, reason_of, shielded


@workflow.defn
class GameDay(Gated):
    """One run of a playbook: the opening, each scenario through its five phases, the closing report."""

    @workflow.init
    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.outcomes_besides: list[Outcome] = []
        """Of what is no scenario."""

    @workflow.run
    async def run(self, plan: Plan) -> DayResult:
        self.diary.start()
        clock = asyncio.create_task(self.watch_the_clock())
        try:
            if await self.open():
                for index, scenario in enumerate(plan.playbook.scenarios):
                    await self.play(index, scenario)
                    if self.ending or Outcome.DIRTY in self.outcomes:  # what is left behind is looked after before anything else is broken
                        break
        except Interrupted:
            pass
        except FAILURES as error:
            self.fail(error)
        return await shielded(self.close(clock))

    async def open(self) -> bool:
        """The team, the checklist, the go; silence means no."""
        plan = self.plan
        self.diary.tell(
            EventKind.RUN_STARTED,
            actor=plan.started_by.name,
            playbook=plan.playbook.name,
            environment=plan.playbook.environment,
            approved=plan.approved,
            run=plan.kind,
            team=[{"role": role, "name": person.name} for role, person in plan.playbook.team.members()],
        )
        shut = await self.unrehearsed() or await self.pass_gate("day", plan.playbook.gates.day)
        if shut:
            self.stood_down.append(shut)
            return False
        if plan.start_at is not None:
            await self.wait_until(plan.start_at)
        if plan.kind is RunKind.REHEARSAL:
            await self.try_probes()
        return True

    async def unrehearsed(self) -> str:
        """Why the day does not begin without another rehearsal; empty where it has one, or needs none."""
        asked = self.plan.playbook.rehearsal
        if asked is None or self.plan.kind is not RunKind.DAY:
            return ""
        last = await self.during(ask.last_rehearsal(self.plan))
        if last.at is not None and workflow.now() - last.at <= asked.within:
            return ""
        wanted = f"the playbook asks for a rehearsal within {format_duration(asked.within)}"
        if last.unknown:
            return f"{wanted}, and whether there was one is not known: {last.unknown}"
        when = f"the last that passed was at {last.at:%Y-%m-%d %H:%M} UTC" if last.at else "none of it as it is now has passed"
        return f"{wanted}, and {when}; run `gameday rehearse`"

    async def try_probes(self) -> None:
        """What a rehearsal finds without touching anything. One thing that does not work, and it has not passed."""
        for each in await self.during(ask.rehearse(self.plan)):
            self.diary.tell(EventKind.REHEARSED, state=each.state, about=each.about, said=each.said)
            if each.state == "no":
                self.outcomes_besides.append(Outcome.FAILED)
        self.say_untried()

    def say_untried(self) -> None:
        """A rehearsal asks nobody to do anything by hand."""
        for index, scenario in enumerate(self.plan.playbook.scenarios):
            for fault in scenario.faults:
                errand = self.plan.errand(index, fault)
                if errand is not None:
                    said = f"{label(errand)}: not tried, since a rehearsal asks nobody to do anything"
                    self.diary.tell(EventKind.REHEARSED, state="part", about=f"fault {fault.name}", said=said)

    async def play(self, index: int, scenario: Scenario) -> None:
        """One scenario. Once a fault may be armed, nothing leads past recover and analyze."""
        now = self.begin(index, scenario)
        try:
            if await self.pre_check(now) and await self.go(now):
                await self.inject(now)
                await self.observe(now)
        except Interrupted:
            pass
        except FAILURES as error:
            self.fail(error)
        finally:
            if now.armed:
                await shielded(self.recover(now))
            await shielded(self.analyze(now))
        if workflow.cancellation_reason() is not None:  # also one that came while nothing could be taken from it
            self.fail(asyncio.CancelledError())
        try:
            await self.rest(now)
        finally:
            self.now = None

    def begin(self, index: int, scenario: Scenario) -> Now:
        self.now = Now(index, scenario, self.state.fresh())
        planned = self.planned(index)
        waits = planned.isoformat() if planned and planned > workflow.now() else None
        self.diary.tell(EventKind.SCENARIO_BEGAN, scenario=index, title=scenario.title, sealed=scenario.sealed, planned=waits)
        return self.now

    def planned(self, index: int) -> datetime | None:
        return self.plan.planned_at[index] if self.plan.planned_at else None

    async def pre_check(self, now: Now) -> bool:
        """Targets found and free of problems, steady state seen, baseline measured; else the scenario stands down."""
        planned = self.planned(now.index)
        if planned is not None:
            await self.wait_until(planned)
        sampling = self.plan.playbook.sampling
        self.enter(now, Phase.PRE_CHECK, sampling.baseline)
        now.seed = workflow.random().getrandbits(48)
        finding = ask.targets(self.plan, now.scenario, now.index, now.seed)
        found, result = await self.during(both(finding, self.sample(now, Purpose.BASELINE, sampling.baseline)))
        now.baselines, now.state, self.state = result.baselines, result.state.fresh(), result.state
        for host, offset_ms in found.offsets:
            self.diary.tell(EventKind.CLOCK_OFFSET, scenario=now.index, host=host, offset_ms=offset_ms)
        self.diary.tell(EventKind.BASELINE, scenario=now.index, baselines=[each.model_dump() for each in result.baselines])
        if self.heed_totals(now):
            return False
        if not found.problems and not result.steady:
            self.diary.tell(EventKind.NOT_STEADY, scenario=now.index, what=result.what)
        reasons = [*found.problems] if found.problems else [] if result.steady else [f"not in steady state: {result.what}"]
        if reasons:
            return self.stand_down(now, "; ".join(reasons))
        self.show_targets(now, found)
        return True

    async def inject(self, now: Now) -> None:
        """Starts every fault at its time; the phase ends when the first is on."""
        self.enter(now, Phase.INJECT)
        now.armed = True
        self.there_at, self.asked_at = max(self.there_at, workflow.now()), None  # whoever approved this, at the gate or in advance
        now.wanted = [fault.order.fault_id for fault in now.faults]
        now.watching = asyncio.create_task(self.watch(now))
        now.playing = [asyncio.create_task(self.play_fault(now, fault)) for fault in now.faults]
        now.side += [asyncio.create_task(self.show_card(now, card.at, card.say)) for card in now.scenario.cards]
        await self.pace(lambda: now.all_over or any(fault.active_at for fault in now.faults), holds=False)

    async def play_fault(self, now: Now, fault: LiveFault) -> None:
        """Waits for the fault's moment, then plays it. Nothing is put on once the day is ending."""
        try:
            if fault.spec.after is not None:
                await self.pace(lambda: all(other.is_over for other in now.named(fault.spec.after or "")))
            await self.pace(timeout=fault.spec.at)
            await self.pace(lambda: now.together < self.plan.playbook.blast_radius.max_concurrent)  # nor does a hold let anything new begin
        except Interrupted:
            fault.state = FaultState.ENDED
            return None
        latest = self.plan.latest_inject_at
        if latest is not None and workflow.now() >= latest:
            return self.drop(now, fault, f"it is later than latest_inject ({self.plan.playbook.times.latest_inject})")
        if any(other.outcome is FaultOutcome.DIRTY for other in now.faults):
            return self.drop(now, fault, "a fault before it could not be proven gone")
        try:
            await fault.play()
        except FAILURES as error:
            fault.orphaned = True
            now.wanted = [each for each in now.wanted if each != fault.order.fault_id]  # its keeper takes it off
            self.fail(error)

    async def observe(self, now: Now) -> None:
        """Lets the fault work and watches, until every fault has had its time or what it lasts until, or for as long as the scenario says."""
        self.enter(now, Phase.OBSERVE, now.length)
        began = workflow.now()
        while not now.all_over:
            for fault in now.faults:
                if fault.satisfied and fault.is_on and not fault.asked_to_end:
                    fault.asked_to_end = True
                    await tell_fault(fault, Fault.end_signal, f"it lasts until {fault.spec.until}")
            left = began + now.length - workflow.now() if now.scenario.observe else None
            if left is not None and left <= timedelta(0):
                return
            before = now.satisfied
            await self.pace(lambda: now.all_over or before != now.satisfied, left, holds=False)  # noqa: B023

    async def watch(self, now: Now) -> None:
        """The observer, from inject until it is recalled: it returns at what decides, and is sent out again."""
        try:
            while True:
                result = await self.sample(
                    now, Purpose.WATCH, now.length + self.plan.playbook.blast_radius.max_duration, now.awaited, self.attendance()
                )
                now.state = self.state = result.state
                if result.ended == "breach" and result.breach is not None:  # also one that was found when the faults were going off
                    return self.breached(now, result.breach)
                if now.phase is Phase.RECOVER:
                    return None
                self.heed_attendance(result)
                if result.ended in set(Until):
                    now.found(Until(result.ended), result.found_at or workflow.now())
                if result.ended == Until.MITIGATED:
                    now.state = now.state.whole_again()
                if result.ended == "blind":
                    return self.end(Ending(by=EndedBy.BLIND, reason=result.what[:900]))
                if result.ended == "over" and now.all_over:
                    return None
        except FAILURES as error:
            if not isinstance(error, asyncio.CancelledError) and not self.interrupted and now.phase in (Phase.INJECT, Phase.OBSERVE):
                self.end(Ending(by=EndedBy.BLIND, reason=f"nobody could watch: {reason_of(error)}"[:900]))
            return None

    async def show_card(self, now: Now, at: timedelta, say: str) -> None:
        try:
            await self.pace(lambda: any(fault.active_at for fault in now.faults))
            await self.pace(timeout=at)
            if now.phase is Phase.OBSERVE:
                self.diary.tell(EventKind.CARD, scenario=now.index, say=say)
        except Interrupted:
            return

    async def analyze(self, now: Now) -> None:
        """Judges the expectations from the record, and with them the scenario."""
        if now.armed:
            self.enter(now, Phase.ANALYZE)
        for task in now.side:
            task.cancel()
        outcome = self.known_outcome(now)
        if outcome is Outcome.STOOD_DOWN and (now.armed or now.skipped):
            why = "skipped" if now.skipped else "; ".join(dict.fromkeys(fault.reason for fault in now.faults if fault.reason)) or "nothing was put on"
            self.stood_down.append(f"scenario {now.index + 1} stood down: {why}"[:900])
        measured: tuple[Measured, ...] = ()
        if now.armed:
            await self.diary.written()
            try:
                analysis = await ask.analysis(self.plan.run_id, now.index)
                measured = analysis.measured
                judgements = [judgement.model_dump(mode="json") for judgement in analysis.judgements]
                self.diary.tell(EventKind.VERDICTS, scenario=now.index, judgements=judgements)
                outcome = worst([outcome, analysis.outcome])
            except ActivityError as error:
                self.diary.tell(EventKind.RUN_ERROR, scenario=now.index, what=f"the record could not be judged: {reason_of(error)}"[:900])
                outcome = worst([outcome, Outcome.ERROR])
        self.open_predictions(now.index, measured)
        self.outcomes.append(outcome)
        self.diary.tell(EventKind.SCENARIO_ENDED, scenario=now.index, outcome=outcome)
        now.judged = True

    def known_outcome(self, now: Now) -> Outcome:
        """What is certain without the record."""
        if any(fault.outcome == "dirty" for fault in now.faults):
            return Outcome.DIRTY
        if self.ending is not None:
            return Outcome.ERROR if self.ending.by is EndedBy.ERROR else Outcome.ABORTED
        return Outcome.STOOD_DOWN if not any(fault.active_at for fault in now.faults) else Outcome.PASSED

    async def rest(self, now: Now) -> None:
        """Debrief and break: notes, and a reveal, are still this scenario's. Each can be skipped; an ending day needs none of it."""
        last = now.index + 1 >= len(self.plan.playbook.scenarios) or Outcome.DIRTY in self.outcomes
        afterwards = now.scenario.afterwards
        for what, length in (("debrief", afterwards.debrief), ("break", timedelta(0) if last else afterwards.break_)):
            now.skipped = now.hurried
            if self.interrupted or not length:
                continue
            self.rest_since, self.rest_until = workflow.now(), workflow.now() + length
            self.diary.tell(EventKind.REST_BEGAN, scenario=now.index, rest=what, until=self.rest_until.isoformat())
            try:
                await self.pace(timeout=length)
            except Interrupted:
                continue
            finally:
                self.rest_until = None

    async def close(self, clock: asyncio.Task[None]) -> DayResult:
        """The outcome, the record complete, the report written."""
        clock.cancel()
        ended_early = [] if self.ending is None else [Outcome.ERROR if self.ending.by is EndedBy.ERROR else Outcome.ABORTED]
        if self.plan.kind is RunKind.REHEARSAL and (self.stood_down or len(self.outcomes) < len(self.plan.playbook.scenarios)):
            self.outcomes_besides.append(Outcome.FAILED)  # a brake that was not tried is not known to work
        outcome = self.outcome = worst([*self.outcomes, *self.outcomes_besides, *ended_early])
        reason = self.ending.reason if self.ending else ""
        if Outcome.DIRTY in self.outcomes and len(self.outcomes) < len(self.plan.playbook.scenarios) and not reason:
            reason = f"scenario {len(self.outcomes)} left something that could not be proven gone, so nothing more was begun"
        if self.stood_down and not reason and (outcome is Outcome.STOOD_DOWN or self.plan.kind is RunKind.REHEARSAL):
            reason = "; ".join(self.stood_down)[:900]
        for index in sorted(self.commitments):  # of scenarios that the day did not come to
            self.open_predictions(index)
        self.ended = True
        self.diary.tell(EventKind.RUN_ENDED, outcome=outcome, exit_code=EXIT_CODES[outcome], reason=reason)
        await self.diary.written()
        report = await ask.report(self.plan.run_id)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return DayResult(run_id=self.plan.run_id, outcome=outcome, exit_code=EXIT_CODES[outcome], reason=reason, report=report)

    def fail(self, error: BaseException) -> None:
        """An outside cancel, or what should not happen: said, and the day ends as an error."""
        if isinstance(error, asyncio.CancelledError):
            return self.end(Ending(by=EndedBy.CANCELLED, reason="the workflow was cancelled"))
        self.diary.tell(EventKind.RUN_ERROR, scenario=self.now.index if self.now else None, what=reason_of(error)[:900])
        return self.end(Ending(by=EndedBy.ERROR, reason=reason_of(error)[:900]))

    async def wait_until(self, moment: datetime) -> None:
        await self.pace(lambda: workflow.now() >= moment, moment - workflow.now())

    async def watch_the_clock(self) -> None:
        """Ends the day at its stop time, whatever is under way."""
        stop = self.plan.stop_at
        if stop is not None:
            await asyncio.sleep(max((stop - workflow.now()).total_seconds(), 0))
            self.end(Ending(by=EndedBy.STOP_TIME, reason=f"it is {self.plan.playbook.times.stop}: the day's stop time"))

    @workflow.signal(name="fault-changed")
    def fault_changed(self, status: FaultStatus) -> None:
        """A fault's workflow tells where it is."""
        if self.now is not None:
            self.now.heard(status, workflow.now())
