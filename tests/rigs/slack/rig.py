"""What a test has of the workspace: how to get at it from its own thread, how to wait for what must come, and Slack's moods."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, TypeVar

import httpx

from tests.rigs.slack.callbacks import signed
from tests.rigs.slack.delivery import EVENTS, Delivery
from tests.rigs.slack.moods import Mood
from tests.rigs.slack.server import Loop, Server
from tests.rigs.slack.things import Call

Result = TypeVar("Result")
LOOK = 0.02
DUMPED = 15


class Rig:
    """The server from outside. All of it can be called from any thread but the server's own."""

    def __init__(self, loop: Loop, server: Server) -> None:
        self._loop, self._server, self._workspace = loop, server, server.workspace
        known = server.workspace
        self.base_url = f"http://127.0.0.1:{server.port}/api/"
        self.bot_token, self.app_token, self.signing_secret = known.bot_token, known.app_token, known.signing_secret
        self.team_id, self.bot_user, self.bot_id, self.app_id = known.team_id, known.bot_user, known.bot_id, known.app_id
        self.calls, self.violations = known.calls, known.violations
        """Live: they grow."""

    @property
    def scopes(self) -> set[str]:
        """What the app's token may do. Tests change it."""
        return self._workspace.scopes

    @scopes.setter
    def scopes(self, granted: set[str]) -> None:
        self._workspace.scopes = set(granted)

    @property
    def trigger_lasts(self) -> float:
        """Seconds in which what somebody did may be answered with a modal."""
        return self._workspace.trigger_lasts

    @trigger_lasts.setter
    def trigger_lasts(self, seconds: float) -> None:
        self._workspace.trigger_lasts = seconds

    @property
    def deliveries(self) -> list[Delivery]:
        return list(self._server.dispatch.all)

    @property
    def connections(self) -> int:
        """How many sockets are open now."""
        return len(self._server.sockets.open)

    @property
    def connected(self) -> int:
        """How many sockets there have been."""
        return self._server.sockets.opened

    @property
    def callbacks(self) -> str | None:
        """Where the app serves callbacks; None for Socket Mode."""
        return self._server.callbacks.base

    @callbacks.setter
    def callbacks(self, base: str | None) -> None:
        self._server.callbacks.base = base.rstrip("/") if base else None

    @property
    def patience(self) -> float:
        """Seconds that the app has to acknowledge; Slack's three, unless a test has less time."""
        return self._server.sockets.patience

    @patience.setter
    def patience(self, seconds: float) -> None:
        self._server.sockets.patience = self._server.callbacks.patience = seconds

    @property
    def retries(self) -> tuple[float, ...]:
        """Seconds before an event is told again, each time; Slack's own are (0, 60, 300)."""
        return self._server.dispatch.retries

    @retries.setter
    def retries(self, seconds: tuple[float, ...]) -> None:
        self._server.dispatch.retries = seconds

    @property
    def strict_rate(self) -> bool:
        return self._server.moods.strict_rate

    @strict_rate.setter
    def strict_rate(self, strict: bool) -> None:
        self._server.moods.strict_rate = strict

    def until(self, condition: Callable[[], Result], timeout: float = 10, what: str = "what was waited for") -> Result:
        """Waits for something that is true, and returns it.

        Raises:
            AssertionError: it did not come. The message has what the app called last, and what was wrong with it.
        """
        deadline, found, why = time.monotonic() + timeout, None, ""
        while not found:
            assert time.monotonic() < deadline, f"{what} did not come in {timeout} s{why}.\n{self.dump()}"
            try:
                found = condition()
            except (AssertionError, AttributeError, LookupError) as error:  # what it looks at is not there yet
                why = f" ({type(error).__name__}: {error})"
            if not found:
                time.sleep(LOOK)
        return found

    async def comes(self, condition: Callable[[], object], what: str, timeout: float = 20) -> None:
        """The same, where what is waited for goes on in the loop that this is called in."""
        deadline = time.monotonic() + timeout
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not come in {timeout} s.\n{self.dump()}"
            await asyncio.sleep(LOOK)

    def dump(self) -> str:
        """What went on last."""
        last = [f"  {each}" for each in self.calls[-DUMPED:]]
        told = [f"  {each.payload.get('type', each.kind)}: {each.error or each.acked_after}" for each in self.deliveries[-5:]]
        wrong = [f"  {each}" for each in self.violations[-5:]]
        return "\n".join(["Calls:", *last, "Deliveries:", *told, "Violations:", *wrong, f"Sockets: {self.connections}"])

    def called(self, method: str) -> list[Call]:
        return [each for each in list(self.calls) if each.method == method]

    def down(self) -> None:
        """Slack is gone: connections are refused, and those that there are are cut."""
        self._loop.run(self._server.down())

    def up(self) -> None:
        self._loop.run(self._server.up())

    def limit(self, method: str, times: int = 1, retry_after: int = 1) -> None:
        """The next calls (of any method for `*`; `response_url` and `upload` are names too) are to come back later."""
        self._order(method, Mood(retry_after=retry_after), times)

    def fail(self, method: str, error: str, times: int = 1) -> None:
        """The next calls are refused with this error, or with this status where it is a number, and not done."""
        self._order(method, Mood(error=error), times)

    def hang(self, method: str, times: int = 1, seconds: float = 60) -> None:
        """The next calls are done and never answered; after this time their connection is cut."""
        self._order(method, Mood(hang=seconds), times)

    def _order(self, method: str, mood: Mood, times: int) -> None:
        self._loop.do(self._server.moods.order, method, mood, times)

    def disconnect(self, reason: str = "refresh_requested") -> None:
        """Slack says goodbye and closes; a `warning` comes some ten seconds before, and closes nothing yet."""
        self._loop.run(self._server.sockets.disconnect(reason))

    def drop_sockets(self) -> int:
        return self._loop.do(self._server.sockets.drop)

    def deliver_again(self, delivery: Delivery) -> Delivery:
        """The same once more: an event in a new envelope, as a retry, with the same event_id; all else as it was, envelope_id too."""
        again = Delivery(delivery.kind, delivery.payload, envelope_id=delivery.envelope_id)
        event = delivery.kind == EVENTS
        reason = "http_timeout" if self.callbacks else "timeout"
        return self._loop.do(self._server.dispatch.start, again, max(1, delivery.attempts) if event else 0, reason if event else "")

    def verify_url(self) -> Delivery:
        """The handshake by which Slack makes sure of the address for events."""
        challenge = "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWMmHkvFXO7tYXAYM8P"
        payload = {"token": self._workspace.verification_token, "challenge": challenge, "type": "url_verification"}
        delivery = self._loop.do(self._server.dispatch.start, Delivery(EVENTS, payload)).wait(10)
        if not delivery.error and challenge not in (delivery.answer or {}).values():
            delivery.error = "challenge_failed"
        return delivery

    def sign(self, body: bytes, at: float | None = None) -> dict[str, str]:
        """Headers that prove that a body is Slack's, as of this time of day."""
        return signed(self.signing_secret, body, at)

    def post_raw(self, path: str, body: bytes, headers: dict[str, str]) -> int:
        """The status that the app answers with to whatever this is."""
        assert self.callbacks, "the app serves no callbacks"
        return httpx.post(f"{self.callbacks}{path}", content=body, headers=headers, timeout=10).status_code

    def person(self, user: str, **known: Any) -> None:
        """Somebody, and what is said of them: name, real_name, display_name, team_id, tz, is_bot, is_restricted, deleted."""
        self._loop.do(self._workspace.person, user, **known)
