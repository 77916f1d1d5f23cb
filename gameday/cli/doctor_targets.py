"""Trying what the settings name as targets on this host: is it there, does it answer, could a fault be put on it and taken off again?

Nothing is changed: no signal is sent, and no command is run.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from gameday.cli.diagnosis import Finding, Look

if TYPE_CHECKING:
    from gameday.settings import CommandSettings, Settings

PATIENCE = 3.0
"""Seconds that a target gets to answer; all are tried at once."""


def targets(known: Settings) -> Iterator[Finding]:
    """Every target that the settings name on this host."""
    here = known.here()
    tries: list[tuple[str, str, Callable[[Settings, str], Finding]]] = [
        *(("process", name, _process) for name in here.processes),
        *(("envoy", name, _envoy) for name in here.envoys),
        *(("command", name, _command) for name in known.commands),
    ]
    if not tries:
        yield Finding("ok", "targets", f"on {known.host} the settings name nothing; a process is found by its own name too")
    looks = [Look(partial(tried, known, name), partial(_silent, about, name), PATIENCE) for about, name, tried in tries]
    for look in looks:
        yield look.found()


def _silent(about: str, name: str, why: str) -> Finding:
    return Finding("no", about, f"{name}: {why}", "see what holds it up, or take it out of the settings")


def _process(known: Settings, name: str) -> Finding:
    from activities.steps import processes

    settings = known.here().processes[name]
    by = next((by for by in ("pid_file", "unit", "name") if getattr(settings, by) is not None), "")
    value = str(getattr(settings, by)) if by else name
    pids = processes.find(**{by or "name": value})
    if not pids:
        advice = f"start it, or correct [hosts.{known.host}.processes.{name}]; a fault on it would stand its scenario down"
        return Finding("no", "process", f"{name} does not run: {_missing(by, value)}", advice)
    which = f"pid {pids[0]}" if len(pids) == 1 else f"{len(pids)} processes"
    found = f"{name} runs ({which}), found by {_how(by, value)}"
    if not all(map(processes.may_signal, pids)):
        return Finding("part", "process", f"{found}, and this user may not signal it", "run `gameday agent` as root, or as the user that it runs as")
    trouble = _no_program(settings.restart[0]) if settings.restart else ""
    if trouble:
        advice = f"install it, or correct `restart` in [hosts.{known.host}.processes.{name}]"
        return Finding("part", "process", f"{found}, but it could not be started again: {trouble}", advice)
    return Finding("ok", "process", found)


def _how(by: str, value: str) -> str:
    return f"its own name {value}" if by in ("", "name") else f"its {by.replace('_', ' ')} {value}"


def _missing(by: str, value: str) -> str:
    """Why there is no process, for somebody who thought that there was one."""
    if by == "unit":
        return f"its unit {value} has no process"
    if by != "pid_file":
        return f"no process is called {value}"
    try:
        text = Path(value).read_text(errors="replace").split()
    except OSError as error:
        return f"its pid file {value} cannot be read ({error.strerror})"
    if not text or not text[0].isdecimal():
        return f"its pid file {value} holds no pid"
    return f"its pid file {value} says pid {text[0]}, and there is no such process"


def _envoy(known: Settings, name: str) -> Finding:
    from activities.targets import EnvoyFacts, resolve
    from gameday.playbook import Target

    admin = known.here().envoys[name].admin
    facts = EnvoyFacts.of(resolve(Target(host=known.host, envoy=name), known.host, known.here()))
    problem = next(facts.problems(), "")
    if not problem:
        return Finding("ok", "envoy", f"{name} answers at {admin}, and its runtime can be set")
    what, _, remedy = problem.partition("; ")
    return Finding("no", "envoy", f"{name}: {what}", remedy or f"start it, or correct `admin` in [hosts.{known.host}.envoys.{name}]")


def _command(known: Settings, name: str) -> Finding:
    settings = known.commands[name]
    first = {part: getattr(settings, part)[0] for part in ("do", "undo", "check")}
    troubles = {part: _no_program(word) for part, word in first.items() if not _depends(settings, word)}
    missing = [f"`{part}`: {trouble}" for part, trouble in troubles.items() if trouble]
    if missing:
        verdict = Finding("no", "command", f"{name}: {'; '.join(missing)}", f"install it on this host, or correct [commands.{name}]")
    elif len(troubles) < len(first):
        verdict = Finding("part", "command", f"{name}: which program it runs depends on its arguments, so it was not looked for")
    else:
        programs = ", ".join(dict.fromkeys(first.values()))
        verdict = Finding("ok", "command", f"{name}: what it does, undoes and reads back with is there ({programs})")
    return verdict


def _depends(settings: CommandSettings, word: str) -> bool:
    return any(place in settings.arguments for place in re.findall(r"\{([a-z][a-z0-9_]*)\}", word))


def _no_program(word: str) -> str:
    """Why this program could not be run; empty when it could."""
    if shutil.which(word):
        return ""
    if "/" not in word:
        return f"there is no program {word} on PATH"
    path = Path(word)
    return f"{word} is not executable" if path.is_file() else f"there is no program {word}"
