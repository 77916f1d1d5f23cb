"""How a delivery goes: by socket or by callback, again where Slack would try again, and what its answer does then.

Source: docs.slack.dev, *Events API*, *Retries*: nearly at once, after one minute, after five. Commands and interactions are told once.
"""

from __future__ import annotations

import asyncio

from tests.rigs.slack.block_kit import view_problems
from tests.rigs.slack.callbacks import Callbacks
from tests.rigs.slack.delivery import COMMANDS, Delivery
from tests.rigs.slack.no import No
from tests.rigs.slack.replies import reply
from tests.rigs.slack.sockets import Sockets
from tests.rigs.slack.things import Json
from tests.rigs.slack.workspace import Workspace

RETRIES = (0.0, 1.0, 5.0)
"""Seconds before each further attempt: a sixtieth of Slack's."""
TOLD = {"timeout": "operation_timeout", "http_timeout": "operation_timeout", "connection_failed": "dispatch_failed", "http_error": "dispatch_failed"}
"""What the person reads."""


class Dispatch:
    def __init__(self, workspace: Workspace, sockets: Sockets, callbacks: Callbacks) -> None:
        self._workspace, self._sockets, self._callbacks = workspace, sockets, callbacks
        self.retries: tuple[float, ...] = RETRIES
        self.down = False
        self.all: list[Delivery] = []
        self._running = set[asyncio.Task[None]]()

    def start(self, delivery: Delivery, number: int = 0, reason: str = "") -> Delivery:
        self.all.append(delivery)
        task = asyncio.get_running_loop().create_task(self._run(delivery, number, reason))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return delivery

    async def _run(self, delivery: Delivery, number: int, reason: str) -> None:
        door = self._callbacks if self._callbacks.base else self._sockets
        pauses = iter(self.retries if delivery.payload.get("type") == "event_callback" and not number else ())
        while True:
            if self.down:
                delivery.end("dispatch_failed")
                return
            taken = await door.attempt(delivery, number, reason)
            delivery.attempts += 1
            delivery.status, delivery.answer = taken.status, taken.answer
            if not taken.failed:
                delivery.acked_after = taken.after
                self._answered(delivery)
                delivery.end()
                return
            pause = None if taken.final else next(pauses, None)
            if pause is None:
                delivery.end(TOLD[taken.failed])
                return
            number, reason = number + 1, taken.failed
            await asyncio.sleep(pause)

    def _answered(self, delivery: Delivery) -> None:
        """What the answer does: a command's is a message, a modal's may change the modal."""
        payload, answer = delivery.payload, delivery.answer or {}
        if delivery.kind == COMMANDS and answer:
            hook = self._workspace.hooks[payload["response_url"].rpartition("/")[2]]
            try:
                reply(self._workspace, hook, answer)
            except No as no:
                delivery.error = no.error
        elif payload.get("type") == "view_submission":
            delivery.error = self._submitted(delivery, payload["user"]["id"], payload["view"]["id"], answer)

    def _submitted(self, delivery: Delivery, user: str, view_id: str, answer: Json) -> str:
        """What is wrong with the answer, if anything."""
        view = self._workspace.views.get(view_id)
        if view is None:  # told again, of a modal that is gone by now
            return ""
        action = answer.get("response_action")
        if action == "errors":
            delivery.errors = dict(answer.get("errors") or {})
            return self._faults(view.blocks, delivery.errors)
        if action in ("update", "push"):
            wrong = view_problems(answer.get("view"))
            if wrong:
                self._workspace.violated(f"response_action {action}", wrong)
                return "trouble_connecting"
            try:
                self._workspace.change(view, answer["view"]) if action == "update" else self._workspace.push(user, answer["view"])
            except No as no:
                return no.error
            return ""
        if action not in (None, "clear") or (answer and action is None):
            self._workspace.violated("view_submission", [f"Slack knows no such answer: {answer}"])
            return "trouble_connecting"
        self._workspace.close(user, everything=action == "clear")
        return ""

    def _faults(self, blocks: list[Json], errors: dict[str, str]) -> str:
        inputs = {each["block_id"] for each in blocks if each["type"] == "input"}
        unknown = [name for name in errors if name not in inputs]
        if errors and not unknown:
            return ""
        self._workspace.violated("response_action errors", [f"there is no input block {name!r}" for name in unknown] or ["there are none"])
        return "trouble_connecting"
