"""Finding targets on a host: a playbook's name for a thing becomes exactly this process, this Envoy, frozen before go."""

from __future__ import annotations

import contextlib
import ipaddress
import socket
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

import psutil

from activities.steps import processes
from activities.steps.envoy_runtime import EnvoyRuntime
from gameday.errors import GamedayError, NotFound
from gameday.fault import ResolvedTarget
from gameday.model import Model
from gameday.nearest import hint
from gameday.playbook import Target
from gameday.settings import EnvoySettings, HostSettings


class FoundProcess(Model):
    pid: int
    born: str


class ProcessFacts(Model):
    """What is kept of a process target: which processes, and how a successor would be found."""

    name: str
    processes: tuple[FoundProcess, ...]
    found_by: tuple[str, str]

    @classmethod
    def of(cls, target: ResolvedTarget) -> Self:
        return cls.model_validate(target.facts)


class EnvoyFacts(Model):
    """What is kept of an Envoy target: its admin endpoint."""

    host: str
    port: int

    @classmethod
    def of(cls, target: ResolvedTarget) -> Self:
        return cls.model_validate(target.facts)

    def problems(self) -> Iterator[str]:
        """Why its runtime could not be set: it does not answer, or has no admin layer."""
        try:
            EnvoyRuntime(self.host, self.port, (("gameday.preflight", "1"),)).look()
        except GamedayError as error:
            yield str(error)


class DatabaseFacts(Model):
    """What is kept of a database target: the operator's file with its URL, and what that says of where it is, without user and password."""

    url_file: str
    server: str

    @classmethod
    def of(cls, target: ResolvedTarget) -> Self:
        return cls.model_validate(target.facts)


def resolve(target: Target, host: str, settings: HostSettings) -> ResolvedTarget:
    """Finds the target's thing on this host.

    Raises:
        NotFound: there is none; the message says how it was looked for.
    """
    things = target.things()
    if not things:
        return ResolvedTarget(host=host, thing="host", label=host)
    ((thing, name),) = things.items()
    if thing == "envoy":
        return _envoy(name, host, settings)
    if thing == "database":
        return _database(name, host, settings)
    return _process(thing, name, host, settings)


def _envoy(name: str, host: str, settings: HostSettings) -> ResolvedTarget:
    known: EnvoySettings | None = settings.envoys.get(name)
    if known is None:
        raise NotFound(f"{host} has no Envoy {name!r} in its settings; {hint(name, settings.envoys)}")
    address, _, port = known.admin.rpartition(":")
    facts = EnvoyFacts(host=address.strip("[]"), port=int(port))
    return ResolvedTarget(host=host, thing=f"envoy {name}", label=f"{host}, envoy {name}", facts=facts.model_dump(mode="json"))


def _database(name: str, host: str, settings: HostSettings) -> ResolvedTarget:
    known = settings.databases.get(name)
    if known is None:
        raise NotFound(f"{host} has no database {name!r} in its settings; {hint(name, settings.databases)}")
    try:
        url = urlsplit(known.url_file.read_text().strip())
        server = f"{url.hostname or 'localhost'}:{url.port or 5432}{url.path}"
    except (OSError, ValueError) as error:  # what is in it is not shown: it has a password
        said = f"{host}: the url_file of the database {name!r} cannot be used ({type(error).__name__})"
        raise NotFound(f"{said}; expected one postgresql://… URL") from None
    if url.scheme not in ("postgresql", "postgres"):
        raise NotFound(
            f"{host}: the url_file of the database {name!r} holds no URL of PostgreSQL; expected postgresql://user:password@host:port/name"
        )
    facts = DatabaseFacts(url_file=str(known.url_file), server=server)
    return ResolvedTarget(host=host, thing=f"database {name}", label=f"{host}, database {name}", facts=facts.model_dump(mode="json"))


def _process(thing: str, name: str, host: str, settings: HostSettings) -> ResolvedTarget:
    by, value = _how(thing, name, settings)
    pids = processes.find(**{by: value})
    if not pids:
        raise NotFound(
            f"{host} has no process {name!r} (looked for by {by.replace('_', ' ')} {value}); start it, or name it in [hosts.{host}.processes]"
        )
    if len(pids) > 50:
        raise NotFound(f"{host} has {len(pids)} processes {name!r}; expected at most 50. Name it more exactly in [hosts.{host}.processes]")
    facts = ProcessFacts(name=name, found_by=(by, value), processes=tuple(FoundProcess(pid=pid, born=processes.born(pid)) for pid in pids))
    which = f"pid {pids[0]}" if len(pids) == 1 else f"{len(pids)} processes"
    return ResolvedTarget(host=host, thing=f"process {name}", label=f"{host}, {name} ({which})"[:200], facts=facts.model_dump(mode="json"))


def _how(thing: str, name: str, settings: HostSettings) -> tuple[str, str]:
    """How a process is looked for: as the settings say for its name, else by the name itself."""
    if thing != "process":
        return thing, name
    known = settings.processes.get(name)
    for by in ("pid_file", "unit", "name"):
        if known is not None and getattr(known, by) is not None:
            return by, str(getattr(known, by))
    return "name", name


def refuses_own_processes(target: ResolvedTarget, home: Path) -> Iterator[str]:
    """A fault that would stop gameday itself, what it descends from, or the Temporal that it brought up could not be taken off again."""
    above = processes.ancestors() | {1}
    for process in ProcessFacts.of(target).processes:
        what = "an ancestor of gameday's agent" if process.pid in above else _own(processes.argv(process.pid), home)
        if what:
            yield f"{target.label}: pid {process.pid} is {what}; a fault on it would cut off its own revert. Name the target more exactly"


def refuses_servers(target: ResolvedTarget, servers: Sequence[str]) -> Iterator[str]:
    """A process that answers where Temporal is, or where the day is told of others: without it nobody could end the fault, or see what it does."""
    for server in servers:
        host, _, port = server.rpartition(":")
        if not port.isdecimal() or not _is_here(host.strip("[]")):
            continue
        for process in ProcessFacts.of(target).processes:
            if _listens(process.pid, int(port)):
                yield f"{target.label}: pid {process.pid} answers at {server}, which this day needs to be ended and seen. Choose another target"


def _is_here(host: str) -> bool:
    """Whether this name or address is this machine's: one that something could listen at."""
    try:
        found = {str(address[0]) for *_, address in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
    except OSError:
        return False
    own = {str(each.address).partition("%")[0] for addresses in psutil.net_if_addrs().values() for each in addresses}
    return any(address in own or ipaddress.ip_address(address).is_loopback for address in found)


def _listens(pid: int, port: int) -> bool:
    """Whether a process listens at a port, as far as this user may see."""
    with contextlib.suppress(psutil.Error):
        found = psutil.Process(pid).net_connections("tcp")
        return any(each.status == psutil.CONN_LISTEN and tuple(each.laddr)[1:2] == (port,) for each in found)
    return False


def refuses_out_of_reach(target: ResolvedTarget) -> Iterator[str]:
    """A process that this user may not signal."""
    for process in ProcessFacts.of(target).processes:
        if not processes.may_signal(process.pid):
            yield f"{target.label}: this agent's user may not signal pid {process.pid}; run the agent as root, or as the user that it runs as"


def _own(argv: Sequence[str], home: Path) -> str:
    """Which of gameday's own processes this argv is, of whatever home; empty when none."""
    module = argv[argv.index("-m") + 1] if "-m" in argv[:-1] else ""
    if f"--db-filename={home / 'temporal.db'}" in argv:
        return "the Temporal server that gameday brought up"
    if module == "gameday" or any(Path(word).name == "gameday" for word in argv[:2]):
        return "a process of gameday"
    return "gameday's watchdog or one of its operations" if module.startswith("activities.") else ""
