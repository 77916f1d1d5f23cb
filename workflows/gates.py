"""Where the day waits for people: a gate and its go, which is for exactly what was shown, and for a system that is still as it was."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from gameday.event import EventKind
    from gameday.fault import list_digest
    from gameday.limits import Gate
    from gameday.observation import Purpose
    from gameday.plan import Plan
    from workflows import ask
    from workflows.recovery import Recovery
    from workflows.scenario import LiveFault, Now

FRESH = timedelta(seconds=10)
"""How long what pre-check has seen holds; after a longer wait at the gate it is looked at again."""


class Gated(Recovery):
    """The go, and what stands a scenario down before it."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.stood_down: list[str] = []

    def show_targets(self, now: Now, found: ask.Found) -> None:
        """Exactly what will be touched, before anybody says go to it."""
        now.faults = [LiveFault(spec, order) for spec, order in found.orders]
        versions = [{"part": part, "version": version} for part, version in found.versions.items()]
        shown = [{"fault": order.name, "host": order.target.host, "label": order.target.label} for _, order in found.orders]
        self.diary.tell(EventKind.TARGETS_FOUND, scenario=now.index, seed=now.seed, targets=shown, digest=now.digest, versions=versions)

    def stand_down(self, now: Now, reason: str) -> bool:
        self.stood_down.append(f"scenario {now.index + 1} stood down: {reason}"[:900])
        self.diary.tell(EventKind.SCENARIO_STOOD_DOWN, scenario=now.index, reason=reason[:1000])
        return False

    async def go(self, now: Now) -> bool:
        """The last human word before the inject, and the last look at the clock."""
        stands = False
        while not stands:
            since = workflow.now()
            shut = await self.pass_gate(f"inject {now.index + 1}", self.plan.playbook.gates.inject)
            if shut:
                return self.stand_down(now, shut)
            if workflow.now() - since > FRESH and not await self.is_still_steady(now):
                return False
            changed = await self.changed_targets(now) if self.asks(self.plan.playbook.gates.inject) else None
            if changed is not None and changed.problems:
                return self.stand_down(now, "; ".join(changed.problems))
            stands = changed is None
            if changed is not None:
                self.diary.tell(EventKind.GO_VOID, scenario=now.index, reason="what was approved is not what would be touched now; see the new list")
                self.show_targets(now, changed)
        latest = self.plan.latest_inject_at
        if latest is not None and workflow.now() >= latest:
            return self.stand_down(now, "it is later than latest_inject")
        return True

    async def changed_targets(self, now: Now) -> ask.Found | None:
        """What a go approves is the exact list that was shown. What would be touched now, where that is another list, or cannot be."""
        found = await self.during(ask.targets(self.plan, now.scenario, now.index, now.seed))
        same = not found.problems and list_digest(order for _, order in found.orders) == now.digest
        return None if same else found

    async def is_still_steady(self, now: Now) -> bool:
        """A gate may have waited long: what was in steady state before it may be broken by now, and not by us."""
        sampling = self.plan.playbook.sampling
        if not (self.plan.playbook.steady_state or self.plan.playbook.abort_when):
            return True
        result = await self.during(self.sample(now, Purpose.CHECK, max(sampling.baseline, 2 * sampling.steady_samples * sampling.every), ("steady",)))
        now.state, self.state = result.state.fresh(), result.state
        if self.heed_totals(now):
            return False
        if not result.steady:
            self.diary.tell(EventKind.NOT_STEADY, scenario=now.index, what=result.what)
            return self.stand_down(now, f"not in steady state any more when the go came: {result.what}")
        return True

    def asks(self, gate: Gate | str) -> bool:
        """Whether a gate waits for somebody to say go, now that the day is under way."""
        return isinstance(gate, Gate) and (gate.two_people or not self.plan.approved)

    async def pass_gate(self, name: str, gate: Gate | str) -> str:
        """Waits for a go. Returns why the gate is still shut when its time is over; empty when it has opened."""
        if not isinstance(gate, Gate):
            return ""
        if not self.asks(gate):
            self.diary.tell(
                EventKind.GATE_OPENED,
                scenario=self.now.index if self.now else None,
                gate=name,
                how="approved in advance",
                actor=self.plan.started_by.name,
            )
            return ""
        self.gate, self.gate_since, self.gate_until, self.went = name, workflow.now(), workflow.now() + gate.timeout, None
        scenario = self.now.index if self.now else None
        self.diary.tell(EventKind.GATE_WAITING, scenario=scenario, gate=name, until=self.gate_until.isoformat())
        try:
            opened = await self.pace(lambda: self.went is not None and not self.missing(), gate.timeout)
            shut = "" if opened else f"{self.went} said go, but not in time: {self.missing()}" if self.went else "nobody said go in time"
        finally:
            self.gate = self.gate_until = None
            self.ready.clear()  # who was ready for this one says so again before the next
        if opened:
            self.diary.tell(EventKind.GATE_OPENED, scenario=scenario, gate=name, how="go", actor=self.went, said=self.go_said)
        else:
            self.diary.tell(EventKind.GATE_SILENT, scenario=scenario, gate=name, reason=shut)
        return shut
