"""What it takes to start a run, light enough for a process that has no time to import more (standard library only)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gameday.plan import Plan


@dataclass(frozen=True)
class Beginning:
    """A run that is to be started: its id, what Temporal shows of it, and its plan as JSON values."""

    run_id: str
    playbook: str
    objective: str
    plan: dict[str, object]

    @staticmethod
    def of(plan: Plan) -> Beginning:
        return Beginning(plan.run_id, plan.playbook.name, plan.playbook.objective, plan.model_dump(mode="json"))
