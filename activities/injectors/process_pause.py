"""`process.pause`: a process stands still, and goes on where it stood."""

from __future__ import annotations

from collections.abc import Iterator

from activities.injectors.injector import Host, Injector
from activities.steps.process_signal import Pause
from activities.targets import ProcessFacts, refuses_out_of_reach, refuses_own_processes, refuses_servers
from gameday.catalogue import InjectorParams
from gameday.fault import ResolvedTarget


class ProcessPause(Injector["ProcessPause.Params"]):
    """Freezes a process (SIGSTOP) until the fault ends (SIGCONT). Its connections stay open and unanswered. Source: signal(7)."""

    kind = "process.pause"
    things = frozenset({"process", "pid_file", "unit"})

    class Params(InjectorParams):
        """Nothing to choose: all processes of the target are paused."""

    def preflight(self, params: Params, target: ResolvedTarget, host: Host) -> Iterator[str]:
        yield from refuses_own_processes(target, host.home)
        yield from refuses_servers(target, host.servers)
        yield from refuses_out_of_reach(target)

    def steps(self, params: Params, target: ResolvedTarget, host: Host) -> tuple[Pause, ...]:
        return tuple(Pause(process.pid, process.born) for process in ProcessFacts.of(target).processes)
