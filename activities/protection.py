"""What the operator of a host keeps from every fault. The host looks when a target is found, and again before it is touched."""

from __future__ import annotations

from collections.abc import Iterator

from activities.injectors.injector import Host
from activities.steps import processes
from activities.targets import ProcessFacts
from gameday.fault import ResolvedTarget
from gameday.settings import ProcessSettings


def refuses(target: ResolvedTarget, host: Host, opted_in: bool = False) -> Iterator[str]:
    """Why this target may not be touched, one reason a line.

    Args:
        opted_in: what would be done is named in the host's settings, whatever it is done to.
    """
    known = host.settings
    thing, _, name = target.thing.partition(" ")
    where = f"[hosts.{host.name}]"
    if known.protected:
        yield f"{host.name} is protected: its settings say that nothing on it may be touched ({where} protected)"
        return
    if thing == "process":
        yield from _processes(target, host)
        if known.opt_in and not _named(target, name, host):
            yield f"{target.label}: on {host.name} targets opt in, and {name!r} has not; its operator can name it in {where[:-1]}.processes]"
        return
    if thing in ("envoy", "database"):
        settings = (known.envoys if thing == "envoy" else known.databases).get(name)
        if settings is not None and settings.protected:
            yield f"{target.label} is protected: its settings say that no fault may touch it"
    elif known.opt_in and not known.whole_host and not opted_in:
        yield f"{target.label}: on {host.name} targets opt in, and the host itself has not; its operator can, by {where} whole_host = true"


def _named(target: ResolvedTarget, name: str, host: Host) -> bool:
    """Whether the operator's entry of this name means these very processes: a unit or a pid file of the same name may be others."""
    settings = host.settings.processes.get(name)
    return settings is not None and {each.pid for each in ProcessFacts.of(target).processes} <= set(_found(name, settings))


def _processes(target: ResolvedTarget, host: Host) -> Iterator[str]:
    """By whatever name a playbook comes to a process: it is the same one."""
    mine = {each.pid for each in ProcessFacts.of(target).processes}
    for name, settings in host.settings.processes.items():
        if settings.protected and mine & set(_found(name, settings)):
            yield f"{target.label} is {name!r} in the settings of {host.name}, and protected: no fault may touch it"


def _found(name: str, settings: ProcessSettings) -> list[int]:
    if settings.pid_file is not None:
        return processes.find(pid_file=settings.pid_file)
    return processes.find(unit=settings.unit) if settings.unit is not None else processes.find(name=settings.name or name)
