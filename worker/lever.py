"""The lever: one refusal for all, which stands in Temporal with every conductor, store and chat dead (docs/decisions/0010).

It is an open workflow that nobody works on: its memo says who, when and why. Whoever starts a run looks for it, each keeper looks for it
every three seconds, and a host that has heard of it keeps it on its own disk.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import RetryPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from gameday.errors import Refused, Unavailable, Unreadable
from gameday.halt import Halt
from gameday.queues import HALT_QUEUE, revert_queue

if TYPE_CHECKING:
    from gameday.orders import HostHalted

HALT_ID = "gameday-halt"
PATIENCE = timedelta(seconds=2)
TAKEN_WITHIN = timedelta(seconds=5)
"""After this an agent that has not begun counts as dead. Its keeper still heeds the lever when it is back."""
DONE_WITHIN = timedelta(seconds=30)
OPEN_RUNS = "WorkflowType = 'GameDay' AND ExecutionStatus = 'Running'"


@dataclass
class Pulled:
    """What came of pulling the lever: what each host did, or why nothing is known of it; what each open run was told."""

    halt: Halt
    was_standing: bool
    hosts: dict[str, HostHalted | str] = field(default_factory=dict)
    runs: dict[str, str] = field(default_factory=dict)


async def standing(client: Client) -> Halt | None:
    """The halt that stands, or None.

    Raises:
        Unavailable: Temporal does not answer.
    """
    try:
        found = await client.get_workflow_handle(HALT_ID).describe(rpc_timeout=PATIENCE)
        memo: Mapping[str, str] = await found.memo() if found.status is WorkflowExecutionStatus.RUNNING else {}
    except Unreadable:  # who and why cannot be read here; that it stands can
        return Halt("?", "?", "encrypted with a key that is not here", "?")
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise Unavailable(f"Temporal does not answer ({error.message})") from None
    if found.status is not WorkflowExecutionStatus.RUNNING:
        return None
    said = {key: str(memo.get(key, "?")) for key in ("actor", "actor_id", "reason", "at")}
    return Halt(**said)


async def refuse_while_halted(client: Client) -> None:
    """Raises Refused while the lever is pulled."""
    halt = await standing(client)
    if halt is not None:
        raise Refused(f"all game days are {halt}")


async def pull(client: Client, halt: Halt, hosts: Iterable[str]) -> Pulled:
    """The refusal first, then every host, then each open run.

    Raises:
        Unavailable: Temporal does not take the refusal; nothing was done.
    """
    before = await _refuse(client, halt)
    pulled = Pulled(before or halt, was_standing=before is not None)
    reverting = {host: asyncio.create_task(_revert(client, host, pulled.halt)) for host in hosts}
    pulled.runs = await _tell_all(client, halt)
    for host, task in reverting.items():
        pulled.hosts[host] = await task
    return pulled


async def _refuse(client: Client, halt: Halt) -> Halt | None:
    """Sets the refusal. Returns the one that stood before, which stays."""
    try:
        await client.start_workflow(
            "Halt",
            id=HALT_ID,
            task_queue=HALT_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            memo=asdict(halt),
            static_summary=halt.said[:200],
            rpc_timeout=PATIENCE,
        )
    except WorkflowAlreadyStartedError:
        return await standing(client)
    except RPCError as error:
        raise Unavailable(f"Temporal does not take the halt ({error.message})") from None
    return None


async def release(client: Client, actor: str, reason: str) -> Halt | None:
    """Lifts the refusal. Returns the one that stood; hosts hear of it within three seconds.

    Raises:
        Unavailable: Temporal does not answer.
    """
    stood = await standing(client)
    if stood is not None:
        try:
            await client.get_workflow_handle(HALT_ID).terminate(reason=f"released by {actor}: {reason}"[:900], rpc_timeout=PATIENCE)
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:  # somebody else has released it meanwhile
                raise Unavailable(f"Temporal does not take the release ({error.message}); say it again") from None
    return stood


async def _revert(client: Client, host: str, halt: Halt) -> HostHalted | str:
    """One host takes everything off, by an activity that needs no workflow and so no conductor."""
    from gameday.orders import HostHalted

    try:
        handle = await client.start_activity(
            "host.halt",
            halt,
            id=f"{HALT_ID}-{host}-{secrets.token_hex(4)}",
            task_queue=revert_queue(host),
            result_type=HostHalted,
            schedule_to_start_timeout=TAKEN_WITHIN,
            start_to_close_timeout=DONE_WITHIN,
            heartbeat_timeout=timedelta(seconds=6),
            retry_policy=RetryPolicy(maximum_attempts=2),
            rpc_timeout=PATIENCE,
        )
        return await asyncio.wait_for(handle.result(), (TAKEN_WITHIN + DONE_WITHIN).total_seconds())
    except Unreadable as error:
        return f"it took the halt, and what came of it cannot be known here: {error}"
    except (RPCError, TimeoutError) as error:
        return f"not reached ({getattr(error, 'message', 'no answer in time')}); its agent heeds the lever by itself"
    except Exception as error:  # noqa: BLE001  # whatever keeps one host from answering, the others are told
        return f"no agent took it ({error.__cause__ or error}); it heeds the lever when it is back, and what is on there ends by its lease"


async def _tell_all(client: Client, halt: Halt) -> dict[str, str]:
    """Sends each open run an abort, as a Signal: nobody needs to be there to take it."""
    try:
        open_runs = [run.id async for run in client.list_workflows(OPEN_RUNS)]
    except RPCError as error:
        return {"?": f"the open runs cannot be listed ({error.message}); their hosts refuse and revert all the same"}
    told = await asyncio.gather(*(_tell(client, run_id, halt) for run_id in open_runs))
    return dict(zip(open_runs, told, strict=True))


async def _tell(client: Client, run_id: str, halt: Halt) -> str:
    from gameday.commands import Actor, Command, Verb

    actor = Actor(id=halt.actor_id, name=halt.actor)
    command = Command(verb=Verb.ABORT, id=f"halt-{secrets.token_hex(8)}", actor=actor, reason=halt.said[:900])
    try:
        await client.get_workflow_handle(run_id).signal("abort", command, rpc_timeout=PATIENCE)
    except RPCError as error:
        return "over already" if error.status is RPCStatusCode.NOT_FOUND else f"not told ({error.message})"
    return "told to end"
