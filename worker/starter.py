"""Starting a run, in one's own process or in one that gets ready while the playbook is being checked (docs/decisions/0009).

As a process (`python -m worker.starter`) it reads runs to start from its standard input, one a line of JSON (`{"home": path, "run": Beginning}`),
and answers each with another: `{"started": true}`, `{"started": false}` where no Temporal is at hand, or `{"error": text, "bad_input": bool}`.
It imports no model of ours: that would take as long again.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from gameday.beginning import Beginning
from gameday.errors import BadInput, GamedayError, Unavailable
from gameday.queues import CONDUCTOR_QUEUE
from worker.connection import at_hand, connect
from worker.lever import refuse_while_halted

PATIENCE = timedelta(seconds=10)
PLAYBOOK = SearchAttributeKey.for_keyword("GamedayPlaybook")


async def start(client: Client, run: Beginning) -> None:
    """Starts a run; its id is the workflow's.

    Raises:
        Refused: the lever has been pulled, and not released.
        Unavailable: Temporal did not take it.
    """
    await refuse_while_halted(client)
    attributes = TypedSearchAttributes([SearchAttributePair(PLAYBOOK, run.playbook)])
    try:
        try:
            await _start(client, run, attributes)
        except RPCError as error:
            if error.status is not RPCStatusCode.INVALID_ARGUMENT:
                raise
            await _start(client, run, None)  # where the search attribute cannot be registered, the memo tells the playbook
    except RPCError as error:
        raise Unavailable(
            f"the run could not be started: {error.message}; if it has begun all the same, `gameday abort {run.run_id}` ends it"
        ) from None


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
        rpc_timeout=PATIENCE,
    )


async def serve() -> None:
    """Answers until nobody asks any more. Whoever asked and is gone by now wants no run."""
    asking = asyncio.StreamReader(limit=16 * 1024 * 1024)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asking), sys.stdin)
    line = await asking.readline()
    while line:
        answering = asyncio.create_task(_answer(json.loads(line)))
        following = asyncio.create_task(asking.readline())
        await asyncio.wait((answering, following), return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():  # the command has been killed meanwhile
            os._exit(0)  # at once: a try to connect can neither be called back nor waited for
        print(json.dumps(answering.result()), flush=True)
        line = await following


async def _answer(asked: dict[str, Any]) -> dict[str, object]:
    home = Path(asked["home"])
    try:
        if not at_hand(home):
            return {"started": False}
        await start(await connect(home), Beginning(**asked["run"]))
    except Exception as error:  # noqa: BLE001  # whatever it was: whoever asked tells it
        said = str(error) if isinstance(error, GamedayError) else f"the run could not be started ({type(error).__name__}: {error})"
        return {"error": said, "bad_input": isinstance(error, BadInput)}
    return {"started": True}


if __name__ == "__main__":
    asyncio.run(serve())
