"""Runtime keys of a running Envoy, through its admin endpoint on loopback. Source: Envoy docs, operations/admin, `/runtime_modify`.

Only the admin layer is touched; an empty value takes an override of that layer away again.
"""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from typing import Any, ClassVar

from activities.steps import processes
from activities.steps.listeners import listener
from activities.steps.step import Hands, Reading, State, Step, Undo, primitive
from gameday.errors import NotReverted, Refused, Unavailable

_KEY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,199}")
_VALUE = re.compile(r"[A-Za-z0-9_.-]{1,200}")
_TIMEOUT = 2.0
_FILTER = "type.googleapis.com/envoy.extensions.filters.http.fault.v3.HTTPFault"
_MOST = 8_000_000
"""Bytes of an answer that are read; a longer configuration is not looked through."""


@primitive
@dataclass(frozen=True)
class EnvoyRuntime(Step):
    """Sets runtime keys together. Compare and swap: a key that somebody else has written since is left to them.

    Args:
        host, port: the admin endpoint; a loopback address, since it has no authentication.
        settings: pairs of key and value.
    """

    host: str
    port: int
    settings: tuple[tuple[str, str], ...]

    primitive: ClassVar[str] = "envoy.runtime"

    def __post_init__(self) -> None:
        if self.host not in ("127.0.0.1", "::1") or not 0 < self.port < 65536:
            raise ValueError("Envoy's admin endpoint is reached on loopback only")
        if not self.settings or not all(_KEY.fullmatch(key) and _VALUE.fullmatch(value) for key, value in self.settings):
            raise ValueError("runtime keys and values are plain words")

    def knobs(self) -> tuple[str, ...]:
        return tuple(f"envoy/{self.host}:{self.port}/{key}" for key, _ in self.settings)

    def look(self) -> None:
        """Raises unless the endpoint answers, and has an admin layer and a fault filter: keys that nothing reads would change nothing."""
        self._values()
        configured = self._ask("GET", "/config_dump")
        if _FILTER not in configured and len(configured) < _MOST:
            raise Refused("this Envoy has no HTTP fault filter, so the fault would do nothing; add envoy.filters.http.fault to its http_filters")

    def capture(self, hands: Hands) -> Undo:
        values = self._values()
        same = [key for key, value in self.settings if values.get(key) == value]
        if same:
            raise Refused(f"Envoy's runtime already has {', '.join(same)} so, and not by this fault; remove the override first")
        return {"values": {key: values.get(key) for key, _ in self.settings}, "process": listener(self.host, self.port)}

    def apply(self, undo: Undo, hands: Hands) -> None:
        self._modify(dict(self.settings))

    def read(self, undo: Undo, hands: Hands) -> Reading:
        try:
            values = self._values()
        except Unavailable:
            if self._gone(undo):
                return Reading(State.GONE, "that Envoy has ended, and its runtime with it")
            raise
        states = {self._state(values.get(key), value, undo["values"].get(key)) for key, value in self.settings}
        seen = ", ".join(f"{key}={values.get(key) or 'unset'}" for key, _ in self.settings)
        return Reading(states.pop() if len(states) == 1 else self._mixed(states), seen)

    @staticmethod
    def _state(now: str | None, ours: str, before: str | None) -> State:
        return State.APPLIED if now == ours else State.BEFORE if now == before else State.FOREIGN

    @staticmethod
    def _mixed(states: set[State]) -> State:
        return State.PART if State.APPLIED in states else State.FOREIGN

    def undo(self, undo: Undo, hands: Hands) -> None:
        try:
            values = self._values()
        except Unavailable:
            if self._gone(undo):
                return
            raise
        ours = [key for key, value in self.settings if values.get(key) == value]
        if ours:
            self._modify({key: undo["values"].get(key) or "" for key in ours})

    def before(self, undo: Undo) -> str:
        return ", ".join(f"{key}={value or 'unset'}" for key, value in undo["values"].items())

    def _gone(self, undo: Undo) -> bool:
        """Whether the very process that had our keys has ended; unknown (it was not to be seen) is not gone."""
        process: dict[str, Any] | None = undo.get("process")
        return process is not None and processes.same(process["pid"], process["born"]) is None

    def _values(self) -> dict[str, str | None]:
        """The admin layer's own value of each key; None where it has none."""
        said = self._ask("GET", "/runtime?format=json")
        try:
            found: dict[str, Any] = json.loads(said)
            layers = found.get("layers", [])
            if "admin" not in layers:
                raise Refused("this Envoy has no admin runtime layer; add `- name: admin` with `admin_layer: {}` to its layered_runtime")
            at = layers.index("admin")
            return {key: entry["layer_values"][at] or None for key, entry in found.get("entries", {}).items()}
        except (ValueError, AttributeError, KeyError, IndexError, TypeError):
            raise Unavailable(f"what answers at {self.host}:{self.port} is not Envoy's admin endpoint: {said[:80]!r}") from None

    def _modify(self, values: dict[str, str]) -> None:
        self._ask("POST", "/runtime_modify?" + "&".join(f"{key}={value}" for key, value in values.items()))

    def _ask(self, method: str, path: str) -> str:
        import http.client  # 30 ms that only this step needs

        connection = http.client.HTTPConnection(self.host, self.port, timeout=_TIMEOUT)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            body = answer.read(_MOST).decode(errors="replace")
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(f"Envoy's admin endpoint at {self.host}:{self.port} does not answer ({error or type(error).__name__})") from None
        finally:
            with contextlib.suppress(OSError):
                connection.close()
        if answer.status != 200:
            raise NotReverted(f"Envoy refused {path.split('?')[0]} with status {answer.status}: {body[:100]}")
        return body
