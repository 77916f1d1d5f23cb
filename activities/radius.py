"""What of the hosts may be touched, by the inventory: environments, and how many of the candidates are left. Pure, but for who answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence

from gameday.orders import SelectOrder
from gameday.settings import Settings

Lives = Callable[[str], Awaitable[bool]]
"""Whether the agent of a host answers; where that cannot be known it does not."""
Pools = Mapping[str, Sequence[str]]
"""Candidates by the labels that they were asked for: `app=ledger`."""


def elsewhere(environment: str, hosts: Collection[str], settings: Settings) -> list[str]:
    """Hosts that belong to another environment than the playbook's, as problems."""
    return [
        f"{host} belongs to {belongs}, and this playbook is for {environment}; expected a host of {environment}"
        for host in sorted(hosts)
        if (belongs := settings.environment_of(host)) is not None and belongs != environment
    ]


async def too_much(order: SelectOrder, pools: Pools, touched: Collection[str], lives: Lives) -> AsyncIterator[str]:
    """How the hosts of a scenario are more of their candidates than the blast radius allows."""
    radius = order.radius
    for labels, pool in pools.items():
        mine, rest = [host for host in pool if host in touched], [host for host in pool if host not in touched]
        if radius.max_share is not None and len(mine) * 100 > int(radius.max_share.rstrip("% ")) * len(pool):
            yield f"{len(mine)} of the {len(pool)} hosts with {labels} would be touched, and blast_radius.max_share allows {radius.max_share}"
        if radius.min_healthy is not None:
            alive = await asyncio.gather(*(lives(host) for host in rest))
            healthy = [host for host, answers in zip(rest, alive, strict=True) if answers]
            if len(healthy) < radius.min_healthy:
                silent = f" ({', '.join(host for host in rest if host not in healthy)}: no agent answers)" if len(healthy) < len(rest) else ""
                left = f"{len(healthy)} of the hosts with {labels} would be left{silent}"
                yield f"{left}, and blast_radius.min_healthy asks for {radius.min_healthy}"
