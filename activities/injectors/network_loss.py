"""`network.loss`: a share of the packets between a host, or what a process lives in, and others is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from activities.injectors import peers
from activities.injectors.injector import Host, Injector
from activities.injectors.peers import PeersParams
from activities.steps.nft_table import NftTable
from gameday.fault import ResolvedTarget


class NetworkLoss(Injector["NetworkLoss.Params"]):
    """Drops a share of the packets from and to some peers, each by chance. The kernel ends it when nobody renews it. Source: nft(8), numgen."""

    kind = "network.loss"
    things = frozenset({"host", "process", "pid_file", "unit"})
    ends = "the kernel, at the end of its lease"

    class Params(PeersParams):
        """Whose packets are lost, and how many."""

        percent: Annotated[int, Field(ge=1, le=99)]
        """The share of the packets that is lost, in percent, each way."""

    def label(self, params: Params, target: ResolvedTarget) -> str:
        return f"{target.label}: {params.percent} % lost with {', '.join(params.peers)}"

    def preflight(self, params: Params, target: ResolvedTarget, host: Host) -> Iterator[str]:
        yield from peers.problems(params, target, host)

    def steps(self, params: Params, target: ResolvedTarget, host: Host) -> tuple[NftTable, ...]:
        where = peers.namespace(target)
        return (NftTable(peers.table(params, where, self.kind), where, params.peers, params.percent, params.direction, params.port or 0),)
