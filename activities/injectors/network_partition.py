"""`network.partition`: a host, or what a process lives in, does not reach others any more."""

from __future__ import annotations

from collections.abc import Iterator

from activities.injectors import peers
from activities.injectors.injector import Host, Injector
from activities.injectors.peers import PeersParams
from activities.steps.nft_table import NftTable
from gameday.fault import ResolvedTarget


class NetworkPartition(Injector["NetworkPartition.Params"]):
    """Drops every packet from and to some peers, in a table of its own. The kernel ends it when nobody renews it. Source: nft(8)."""

    kind = "network.partition"
    things = frozenset({"host", "process", "pid_file", "unit"})
    ends = "the kernel, at the end of its lease"

    class Params(PeersParams):
        """Who is cut off."""

    def label(self, params: Params, target: ResolvedTarget) -> str:
        return f"{target.label} cut off from {', '.join(params.peers)}"

    def preflight(self, params: Params, target: ResolvedTarget, host: Host) -> Iterator[str]:
        yield from peers.problems(params, target, host)

    def steps(self, params: Params, target: ResolvedTarget, host: Host) -> tuple[NftTable, ...]:
        where = peers.namespace(target)
        return (NftTable(peers.table(params, where, self.kind), where, params.peers, 100, params.direction, params.port or 0),)
