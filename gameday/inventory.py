"""Whether this machine's settings know what a playbook names: hosts, what is on them, commands. Doubts only, since a playbook is also checked
on machines that no game day will ever touch; and nothing is doubted where the settings name nothing of the kind.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from gameday.addresses import literal, refusal
from gameday.by_hand import MANUAL
from gameday.errors import PlaybookError
from gameday.findings import Data, mappings, texts
from gameday.nearest import nearest
from gameday.variables import Variables
from gameday.yaml_tree import Path, Problem, Tree, dotted, parse

if TYPE_CHECKING:
    from gameday.settings import Settings

_MOST = 100
"""Faults that are looked at."""


@dataclass
class LookedUp:
    """What the settings do not know, as warnings with their places; and what they could not be asked for: `host 'db-1'`."""

    warnings: list[Problem] = field(default_factory=list)
    unchecked: list[str] = field(default_factory=list)


Refusals = Callable[[Mapping[str, Any], "Settings"], Iterable[str]]
"""Why the settings would refuse what a `command` fault is given (`with`), once there is such a command."""


def look_up(raw: bytes, values: Mapping[str, str], known: Settings, refusals: Refusals = lambda *_: ()) -> LookedUp:
    """Looks up every name in a playbook's faults. What is wrong with the playbook itself is for `gameday.loading` to say.

    Args:
        raw: the file.
        values: what `--set` gave, by variable.
        known: this machine's settings.
        refusals: asked of each fault by command.
    """
    tree = Tree()
    try:
        _, written = parse(raw, tree)
        data = Variables(written.get("variables"), values, tree).fill(written)
    except PlaybookError:
        return LookedUp()
    inventory = _Inventory(known, tree, refusals)
    for path, fault in list(_faults(data))[:_MOST]:
        inventory.fault(path, fault)
    for path, host in _asked(data):
        inventory.asked(path, host)
    return inventory.found


def _faults(data: Data) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every fault at its place in the file; a day of one scenario may have them at the top level."""
    yield from mappings(data, *(("scenarios", "*") if "scenarios" in data else ()), "faults", "*")


def _asked(data: Data) -> Iterator[tuple[Path, str]]:
    """Every host that a probe or an alert source is read from, where it is written."""
    for path, where in [
        *texts(data, "probes", "*", "*", "url"),
        *texts(data, "probes", "*", "*", "from", "*", "url"),
        *texts(data, "alerts", "from", "*", "url"),
    ]:
        with contextlib.suppress(ValueError):  # that is told elsewhere
            yield path, urlsplit(where).hostname or ""
    yield from texts(data, "probes", "*", "*", "host")


class _Inventory:
    """The settings, asked for one name after the other."""

    def __init__(self, known: Settings, tree: Tree, refusals: Refusals) -> None:
        self.known, self.tree, self.found, self.refusals = known, tree, LookedUp(), refusals

    def fault(self, path: Path, fault: Data) -> None:
        target = fault.get("on", {"host": "local"})
        if isinstance(target, dict) and fault.get("inject") != MANUAL:
            self.target((*path, "on"), target)
        if fault.get("inject") == "command":
            for inner, name in texts(fault, "with", "name"):
                said = f"this machine's settings allow no command {name!r}"
                self.name((*path, *inner), f"command {name!r}", name, self.known.commands, said)
                if name in self.known.commands:
                    for refused in self.refusals(fault["with"], self.known):
                        message, _, expected = refused.partition("; expected ")
                        self.doubt((*path, "with"), message, expected or "what its settings say")

    def target(self, path: Path, target: Data) -> None:
        hosts = self.hosts(path, target)
        for inner, name in texts(target, "process"):
            for host in hosts:
                there = self.known.hosts[host].processes if host in self.known.hosts else {}
                said = f"the settings name no process {name!r} on {host}: it is looked for by its own name"
                if there:  # without any, its own name is how processes are found
                    self.name((*path, *inner), "", name, there, said)
        for inner, name in texts(target, "envoy"):
            for host in hosts:
                envoys = self.known.hosts[host].envoys if host in self.known.hosts else {}
                self.name((*path, *inner), f"envoy {name!r} on {host}", name, envoys, f"the settings name no Envoy {name!r} on {host}")

        for inner, name in texts(target, "database"):
            for host in hosts:
                databases = self.known.hosts[host].databases if host in self.known.hosts else {}
                self.name((*path, *inner), f"database {name!r} on {host}", name, databases, f"the settings name no database {name!r} on {host}")

    def hosts(self, path: Path, target: Data) -> list[str]:
        """The hosts that a target may be on, those that the settings know."""
        host, labels = target.get("host"), target.get("hosts")
        if isinstance(host, str):
            names = {self.known.host, *self.known.hosts}
            there = names if self.known.hosts or host in names else ()
            self.name((*path, "host"), f"host {host!r}", host, there, f"this machine's settings know no host {host!r}")
            return [host] if host in names else []
        return self.labelled((*path, "hosts"), {str(key): str(value) for key, value in labels.items()}) if isinstance(labels, dict) else []

    def labelled(self, path: Path, wanted: Mapping[str, str]) -> list[str]:
        """The hosts that carry all these labels."""
        pairs = [f"{key}={value}" for key, value in wanted.items()]
        fitting = [name for name, host in self.known.hosts.items() if wanted.items() <= host.labels.items()]
        if not fitting and not any(map(_unfilled, pairs)):
            there = {f"{key}={value}" for host in self.known.hosts.values() for key, value in host.labels.items()}
            missing = next((pair for pair in pairs if pair not in there), None)
            if there:
                expected = nearest(missing, there) if missing else "labels that one host has together"
                self.doubt(path, f"no host in this machine's settings has {', '.join(pairs)}", expected)
            else:
                self.unchecked(f"hosts with {', '.join(pairs)}")
        return fitting

    def asked(self, path: Path, host: str) -> None:
        """An address that no probe is let to, told before the day. Where a name leads is seen when it is asked."""
        address = literal(host)
        why = refusal(address, self.known.probes.allow) if address else ""
        if why:
            self.doubt(path, f"{host} is {why}: no probe asks it", "the target's own address, or `allow` under [probes] in the conductor's settings")

    def name(self, path: Path, what: str, name: str, there: Mapping[str, object] | set[str] | tuple[()], said: str) -> None:
        """One name among those that there are; with none there, nobody can say."""
        if name in there or _unfilled(name):
            return
        if there:
            self.doubt(path, said, nearest(name, there))
        else:
            self.unchecked(what)

    def doubt(self, path: Path, message: str, expected: str) -> None:
        place, _ = self.tree.place(path)
        problem = Problem(place.line, place.column, dotted(path), message, expected, warning=True)
        if problem not in self.found.warnings:
            self.found.warnings.append(problem)

    def unchecked(self, what: str) -> None:
        if what not in self.found.unchecked:
            self.found.unchecked.append(what)


def _unfilled(text: str) -> bool:
    """A variable without a value is said to be one elsewhere; there is no name to look up yet."""
    return "${" in text
