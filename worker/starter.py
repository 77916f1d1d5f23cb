"""Starting a run, in one's own process or in one that gets ready while the playbook is being checked (docs/decisions/0009).

As a process (`python -m worker.starter`) it reads runs to start from its standard input, one a line of JSON (`{"home": path, "run": Beginning}`),
and answers each with another: `{"started": true}`, `{"started": false}` where no Temporal is at hand, or `{"error": text, "bad_input": bool}`.
It imports no model of ours: that would take as long again.
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from gameday.beginning import CONDUCTOR_QUEUE, Beginning
from gameday.errors import BadInput, GamedayError, Unavailable
from worker.connection import at_hand, connect

PLAYBOOK = SearchAttributeKey.for_keyword("GamedayPlaybook")


async def start(client: Client, run: Beginning) -> None:
    """Starts a run; its id is the workflow's.

    Raises:
        Unavailable: Temporal did not take it.
    """
    attributes = TypedSearchAttributes([SearchAttributePair(PLAYBOOK, run.playbook)])
    try:
        try:
            await _start(client, run, attributes)
        except RPCError as error:
            if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise
            await _start(client, run, None)  # where the search attribute cannot be registered, the memo tells the playbook
    except RPCError as error:
        raise Unavailable(f"the run could not be started: {error.message}") from None


async def _start(client: Client, run: Beginning, attributes: TypedSearchAttributes | None) -> None:
    await client.start_workflow(
        "GameDay",
        run.plan,
        id=run.run_id,
        task_queue=CONDUCTOR_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        memo={"playbook": run.playbook},
        search_attributes=attributes,
        static_summary=run.objective[:200],
    )


async def serve() -> None:
    """Answers until nobody asks any more."""
    client = None
    while line := sys.stdin.buffer.readline():
        asked = json.loads(line)
        home = Path(asked["home"])
        try:
            client = client or (await connect(home) if at_hand(home) else None)
            if client is not None:
                await start(client, Beginning(**asked["run"]))
            said: dict[str, object] = {"started": client is not None}
        except GamedayError as error:
            said = {"error": str(error), "bad_input": isinstance(error, BadInput)}
        print(json.dumps(said), flush=True)


if __name__ == "__main__":
    asyncio.run(serve())
