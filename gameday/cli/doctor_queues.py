"""Who polls: whether a conductor and each host's agent are there to take work, as Temporal knows it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from gameday.cli.diagnosis import Finding
from gameday.queues import CONDUCTOR_QUEUE, host_queue, revert_queue
from gameday.units import spoken

if TYPE_CHECKING:
    from temporalio.client import Client

    from gameday.settings import Settings
    from worker.polling import Polled


async def queues(client: Client, known: Settings) -> list[Finding]:
    """A finding on the conductor, and one on the agent of each host of the inventory."""
    from worker.polling import ACTIVITIES, WORKFLOWS, polled

    asked = {("conductor", ""): [(CONDUCTOR_QUEUE, WORKFLOWS), (CONDUCTOR_QUEUE, ACTIVITIES)]}
    hosts = sorted({known.host, *known.hosts})
    asked |= {("agent", host): [(host_queue(host), ACTIVITIES), (revert_queue(host), ACTIVITIES)] for host in hosts}
    flat = [queue for pair in asked.values() for queue in pair]
    told = iter(await asyncio.gather(*(polled(client, *queue) for queue in flat)))
    return [_finding(about, host, known, [next(told) for _ in pair]) for (about, host), pair in asked.items()]


def _finding(about: str, host: str, known: Settings, polled: list[Polled]) -> Finding:
    """What two queues that one process polls say of it."""
    of = f"{host}: " if host else ""
    start = "`gameday worker`" if about == "conductor" else f"`GAMEDAY_HOST={host} gameday agent`"
    advice = f"start {start}{f' on {host}' if host not in ('', known.host) else ''}"
    trouble = next((each.trouble for each in polled if each.trouble), "")
    if trouble:
        return Finding("part", about, f"{of}cannot be known ({trouble})", "try again, or look at Temporal")
    if all(each.is_polled for each in polled):
        return Finding("ok", about, f"{of}takes work ({_seen(polled)})")
    if any(each.is_polled for each in polled):
        halves = ("workflows", "activities") if about == "conductor" else ("injects", "reverts")
        missing = next(half for half, each in zip(halves, polled, strict=True) if not each.is_polled)
        return Finding("part", about, f"{of}nobody takes {missing} ({_seen(polled)})", f"it may be starting or stopping; else {advice} again")
    gone = f", the last was {_seen(polled)}" if any(each.who for each in polled) else ""
    needs = "no run could begin" if about == "conductor" else "no fault could be put on there"
    return Finding("no", about, f"{of}nobody takes work{gone}: {needs}", advice)


def _seen(polled: list[Polled]) -> str:
    """Who asked for work last, of those that were seen at all."""
    last = min((each for each in polled if each.ago is not None), key=lambda each: each.ago or 0.0)
    return f"{last.who}, heard {spoken(timedelta(seconds=round(last.ago or 0.0)))} ago"
