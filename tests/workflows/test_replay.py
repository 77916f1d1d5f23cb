"""New workflow code completes what old code began: every stored history replays."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner

from gameday.orders import DayResult
from gameday.plan import Plan
from tests.workflows.store_history import DAYS, FAULTS
from worker.conductor import RUNNER, WORKFLOWS
from workflows.game_day import GameDay

HISTORIES = sorted((Path(__file__).parent / "histories").glob("*.json"))


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
async def test_a_stored_history_replays(path: Path) -> None:
    replayer = Replayer(workflows=WORKFLOWS, workflow_runner=RUNNER, data_converter=pydantic_data_converter)
    await replayer.replay_workflow(WorkflowHistory.from_json(path.stem, path.read_text()))


def test_there_is_a_history_of_each_kind_of_day_and_fault() -> None:
    kinds = {f"{day}-day" for day in DAYS} | {f"{day}-fault" for day in FAULTS}
    assert kinds == {path.stem.split("-", 1)[1] for path in HISTORIES}


@workflow.defn(name="GameDay")
class Tardy(GameDay):
    """The same day, changed: it begins a moment later."""

    @workflow.init
    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)

    @workflow.run
    async def run(self, plan: Plan) -> DayResult:
        await asyncio.sleep(1)
        return await super().run(plan)


@pytest.mark.parametrize("path", [path for path in HISTORIES if path.stem.endswith("passed-day")], ids=lambda path: path.stem)
async def test_a_day_that_would_go_another_way_does_not_replay(path: Path) -> None:
    replayer = Replayer(workflows=[Tardy], workflow_runner=UnsandboxedWorkflowRunner(), data_converter=pydantic_data_converter)
    with pytest.raises(workflow.NondeterminismError):
        await replayer.replay_workflow(WorkflowHistory.from_json(path.stem, path.read_text()))
