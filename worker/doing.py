"""The word that something is done by hand: to the day, and once that is over to the fault itself, which waits for it for ever."""

from __future__ import annotations

import asyncio

from temporalio.client import Client

from activities.store import RunStore
from gameday.by_hand import open_errands
from gameday.commands import OVER, Command, Moment, meant, refusal
from gameday.errors import Refused
from gameday.event import EventKind
from worker.client import is_open, send, send_done


async def tell_done(client: Client, store: RunStore, run_id: str, command: Command) -> str:
    """Says it to the day; where that is over to the fault, by the same rule of who may. Returns the answer.

    Raises:
        Refused: nothing of the kind is asked, or not of whoever says it; the message says why.
    """
    if await is_open(client, run_id):
        try:
            return (await send(client, run_id, command)).text
        except Refused as refused:
            if str(refused) != OVER:  # it is only writing its report now
                raise
    record = await asyncio.to_thread(store.read, run_id)
    plan = record.plan
    errands, handed = open_errands(record.events), record.last(EventKind.HANDED_OVER)
    asked_for = tuple(asked for _, asked in errands.values())
    moment = Moment(started_by=plan.started_by.id, handed_to=handed.text("to") if handed else "", asked=asked_for)
    reason = refusal(command, moment)
    if reason is not None:
        raise Refused(f"{plan.run_id} is over: {reason}")
    asked = meant(command, moment)[0]
    await send_done(client, f"{plan.run_id}-{errands[asked.fault][0]}", command, asked.half)
    return f"{command.actor.name} says done: {asked.text}. The run is over; `gameday report {plan.run_id}` writes its report again"
