"""`process.kill`: a process ends at once; perhaps it is started again when the fault ends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from activities.injectors.injector import Host, Injector
from activities.steps.process_signal import Kill
from activities.targets import ProcessFacts, refuses_out_of_reach, refuses_own_processes, refuses_servers
from gameday.catalogue import InjectorParams
from gameday.errors import Refused
from gameday.fault import ResolvedTarget


class ProcessKill(Injector["ProcessKill.Params"]):
    """Ends a process. Momentary: there is nothing to undo, unless `restart` asks for the restart command of the settings. Source: signal(7)."""

    kind = "process.kill"
    things = frozenset({"process", "pid_file", "unit"})
    momentary = True
    ends = "over in a moment; a restart is the watchdog's, or an agent's next start"

    class Params(InjectorParams):
        """How it is ended, and whether it is started again."""

        signal: Literal["SIGKILL", "SIGTERM"] = "SIGKILL"
        """How it is ended: at once, or asked to."""
        restart: bool = False
        """Start it again when the fault ends and nobody else has."""

    @classmethod
    def is_momentary(cls, params: Params) -> bool:
        return not params.restart

    def preflight(self, params: Params, target: ResolvedTarget, host: Host) -> Iterator[str]:
        yield from refuses_own_processes(target, host.home)
        yield from refuses_servers(target, host.servers)
        yield from refuses_out_of_reach(target)
        facts = ProcessFacts.of(target)
        if params.restart and not self._restart(facts, host):
            yield f"{target.label} has no restart command; expected `restart` under [hosts.{host.name}.processes.{facts.name}] in the settings"
        if params.restart and len(facts.processes) > 1:
            yield f"{target.label} is {len(facts.processes)} processes; expected one where a restart is asked for"

    def steps(self, params: Params, target: ResolvedTarget, host: Host) -> tuple[Kill, ...]:
        facts = ProcessFacts.of(target)
        restart = self._restart(facts, host) if params.restart else ()
        if params.restart and not restart:
            raise Refused(f"{target.label} has no restart command any more; a kill without one could not be taken back")
        return tuple(Kill(process.pid, process.born, params.signal, restart, facts.found_by) for process in facts.processes)

    @staticmethod
    def _restart(facts: ProcessFacts, host: Host) -> tuple[str, ...]:
        known = host.settings.processes.get(facts.name)
        return known.restart if known and known.restart else ()
