"""Talking to runs: telling one something, asking where it is."""

from __future__ import annotations

import asyncio
import dataclasses
from datetime import timedelta

from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from gameday.by_hand import Done, Half
from gameday.commands import OVER, URGENT, Answer, Command
from gameday.errors import GamedayError, NotFound, Refused, Unavailable, Unreadable
from gameday.orders import DayResult, LiveState
from worker.codec import Encryption

ABORT_PATIENCE = timedelta(seconds=2)
"""How long an abort is tried as an Update before it is sent as a Signal, which a restarting server does not lose."""
KEY_PATIENCE = timedelta(seconds=1)
"""How long it is waited for that a run's conductor shows which key it has."""
PATIENCE = timedelta(seconds=10)
UNPROCESSED = "UnprocessedUpdate"
"""With this the server itself rejects an Update that it lost at its restart, between the conductor and its own memory (seen): nobody refused it."""
INSISTENCE = 30.0
"""Seconds that an abort is tried while Temporal does not answer: as long as a restart takes."""
REFUSALS = {RPCStatusCode.UNAUTHENTICATED, RPCStatusCode.PERMISSION_DENIED, RPCStatusCode.INVALID_ARGUMENT}
"""What does not change by trying again."""


async def send(client: Client, run_id: str, command: Command) -> Answer:
    """Tells a run something, and returns what it answers once it is latched.

    Raises:
        Refused: with the reason.
        NotFound: there is no such run.
        Unavailable: nobody took it; what is urgent is sent as a Signal instead, and taken when a conductor is back.
        Unreadable: it was answered, and the answer cannot be read here. What is urgent is sent as a Signal too, which acts once all the same.
    """
    handle, patience = await _writing(client, run_id, command), ABORT_PATIENCE if command.verb in URGENT else PATIENCE
    try:
        answer: Answer = await handle.execute_update("command", command, id=command.id, result_type=Answer, rpc_timeout=patience)
    except WorkflowUpdateFailedError as error:
        cause = error.cause
        if not isinstance(cause, ApplicationError) or cause.type != UNPROCESSED:
            raise Refused(cause.message if isinstance(cause, ApplicationError) else str(cause)) from None
        if command.verb not in URGENT:
            raise Unavailable("Temporal was being started again, and lost this; say it again") from None
    except Unreadable:
        if command.verb not in URGENT:
            raise
    except (RPCError, WorkflowUpdateRPCTimeoutOrCancelledError) as error:
        if isinstance(error, RPCError) and error.status is RPCStatusCode.NOT_FOUND:
            return await _ended(handle, run_id, error)
        if command.verb not in URGENT:
            raise Unavailable("no conductor takes this now; is `gameday worker` running? It may still be delivered") from None
    else:
        return answer
    return await _by_signal(_in_the_clear(client).get_workflow_handle(run_id), command)


async def is_open(client: Client, run_id: str) -> bool:
    """Whether a run is still under way, as Temporal says; one that it does not know any more is not."""
    try:
        described = await client.get_workflow_handle(run_id).describe(rpc_timeout=PATIENCE)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise Unavailable(f"Temporal does not say whether the run is over ({error.message})") from None
        return False
    return described.status is WorkflowExecutionStatus.RUNNING


async def send_done(client: Client, fault: str, command: Command, half: Half) -> None:
    """Tells a fault, whose run is over, that what it has asked of somebody is done.

    Raises:
        NotFound: it does not wait for that any more.
        Unavailable: Temporal does not take it.
    """
    handle = await _writing(client, fault, command)
    try:
        await handle.signal("done", Done(half=half, by=command.actor.name, said=command.said), rpc_timeout=PATIENCE)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise NotFound("that fault waits for nobody any more: its end is in the record") from None
        raise Unavailable(f"Temporal does not take it ({error.message})") from None


async def _writing(client: Client, run_id: str, command: Command) -> WorkflowHandle[object, object]:
    """The run, spoken to with our key if the run's conductor has it too: what it could not read would keep it from reading anything after it.

    Raises:
        Unreadable: it has not, and the command is not urgent. What is urgent is sent in the clear then.
    """
    handle = client.get_workflow_handle(run_id)
    codec = client.data_converter.payload_codec
    if not (isinstance(codec, Encryption) and codec.key_ids):
        return handle
    try:
        await handle.query("wants", rpc_timeout=KEY_PATIENCE)
    except Unreadable:
        if command.verb not in URGENT:
            raise
    except (RPCError, WorkflowQueryFailedError):  # no conductor, or no such run: what comes next says so
        if command.verb not in URGENT:
            return handle
    else:
        return handle
    return _in_the_clear(client).get_workflow_handle(run_id)


def _in_the_clear(client: Client) -> Client:
    codec = client.data_converter.payload_codec
    if not (isinstance(codec, Encryption) and codec.key_ids):
        return client
    config = client.config()
    config["data_converter"] = dataclasses.replace(client.data_converter, payload_codec=codec.in_the_clear())
    return Client(**config)


async def _by_signal(handle: WorkflowHandle[object, object], command: Command) -> Answer:
    deadline = asyncio.get_running_loop().time() + INSISTENCE
    while True:
        try:
            await handle.signal("abort", command, rpc_timeout=PATIENCE)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return await _ended(handle, handle.id, error)
            if error.status in REFUSALS or asyncio.get_running_loop().time() >= deadline:
                raise Unavailable(f"Temporal does not take it ({error.message})") from None
            await asyncio.sleep(0.5)
        else:
            taken = "taken as soon as a conductor is back, if this day takes it from you"
            return Answer(text=f"the {command.verb} is sent, and {taken}; until then the leases run. The timeline tells what came of it")


async def _ended(handle: WorkflowHandle[object, object], run_id: str, error: RPCError) -> Answer:
    """The answer for a run that is over: its outcome."""
    try:
        described = await handle.describe()
    except RPCError:
        raise NotFound(f"there is no run {run_id!r}; `gameday runs` lists them") from None
    if described.status is WorkflowExecutionStatus.RUNNING:
        raise Unavailable(f"the run did not take it: {error.message}") from None
    try:
        result = await outcome(handle, run_id)
    except Unreadable as error:
        return Answer(text=f"{OVER}. How it ended: {error}"[:1000])
    return Answer(text=f"{OVER}: {result.outcome}")


async def outcome(handle: WorkflowHandle[object, object], run_id: str) -> DayResult:
    """How a run ended, waiting for its end.

    Raises:
        GamedayError: it was ended from outside, without a result.
    """
    try:
        result = DayResult.model_validate(await handle.result())
    except WorkflowFailureError as error:
        cause = error.cause
        raise GamedayError(
            f"the run {run_id} was ended from outside ({type(cause).__name__}); its faults are taken off. `gameday report {run_id}`"
        ) from None
    return result


async def look(client: Client, run_id: str) -> LiveState | None:
    """Where a run is now; None when nobody answers."""
    try:
        state: LiveState = await client.get_workflow_handle(run_id).query("view", result_type=LiveState, rpc_timeout=timedelta(seconds=2))
    except (RPCError, WorkflowQueryFailedError):
        return None
    return state
