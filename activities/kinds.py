"""The kinds at hand: every injector and probe in its folder, and those of installed plug-ins (entry points)."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, TypeVar

from activities import injectors as injector_room
from activities import probes as probe_room
from activities.injectors.injector import Injector
from activities.probes.probe import Probe
from gameday.catalogue import Catalogue
from gameday.errors import BadInput

T = TypeVar("T")


def _in_folder(room: ModuleType) -> list[ModuleType]:
    return [importlib.import_module(f"{room.__name__}.{found.name}") for found in pkgutil.iter_modules(room.__path__)]


@cache
def _entry_points() -> Any:  # SelectableGroups before Python 3.12, EntryPoints since
    """Of every installed distribution: reading them all takes a while."""
    return entry_points()


def _plugged_in(group: str) -> list[ModuleType]:
    return [_loaded(point) for point in _entry_points().select(group=group)]


def _loaded(point: EntryPoint) -> ModuleType:
    try:
        return importlib.import_module(point.value)
    except Exception as error:
        whose = f"the plug-in {point.dist.name}" if point.dist else "a plug-in"
        names = f"its entry point under {point.group}, {point.value!r}, gave {type(error).__name__}: {error}"
        raise BadInput(f"{whose} cannot be loaded: {names}; expected a module. Repair it, or uninstall it") from error


def _classes(modules: list[ModuleType], base: type[T]) -> dict[str, type[T]]:
    found: dict[str, type[T]] = {}
    for module in modules:
        for _, cls in inspect.getmembers(module, inspect.isclass):
            if not issubclass(cls, base) or cls.__module__ != module.__name__ or (inspect.isabstract(cls) and "kind" not in vars(cls)):
                continue
            lacks = sorted({name for name in ("Params", "kind") if not hasattr(cls, name)} | getattr(cls, "__abstractmethods__", frozenset()))
            if lacks:
                raise BadInput(
                    f"{module.__name__}.{cls.__qualname__} is no kind yet: it lacks {' and '.join(lacks)}; CONTRIBUTING.md shows a whole one"
                )
            kind = str(getattr(cls, "kind", ""))
            if kind in found and found[kind] is not cls:
                raise BadInput(f"two classes are the kind {kind!r}: {found[kind].__qualname__} and {cls.__qualname__}; expected one")
            found[kind] = cls
    return dict(sorted(found.items()))


@cache
def injectors() -> dict[str, type[Injector[Any]]]:
    """Injector classes by kind. Plug-ins name a module under the entry point group `gameday.injectors`."""
    return _classes(_in_folder(injector_room) + _plugged_in("gameday.injectors"), Injector)  # type: ignore[type-abstract]


@cache
def of_hosts() -> dict[str, type[Injector[Any]]]:
    """The injectors that a host carries out: all but what is asked of people."""
    return {kind: cls for kind, cls in injectors().items() if not cls.by_hand}


@cache
def probes() -> dict[str, type[Probe[Any]]]:
    """Probe classes by kind. Plug-ins name a module under the entry point group `gameday.probes`."""
    return _classes(_in_folder(probe_room) + _plugged_in("gameday.probes"), Probe)  # type: ignore[type-abstract]


@cache
def catalogue() -> Catalogue:
    """All kinds, as the language sees them."""
    return Catalogue(injectors=injectors(), probes=probes())
