"""What the command line makes of a server's answers: a command that nobody refused is not told as refused."""

from __future__ import annotations

from typing import Any, cast

import pytest
from temporalio.client import Client, WorkflowUpdateFailedError
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from gameday.commands import Command, Verb
from gameday.errors import Refused, Unavailable
from tests.rigs.town import ADA
from worker import client, connection

LOST = ApplicationError("Workflow Update is rejected because it wasn't processed by worker.", type=client.UNPROCESSED)
REFUSED = ApplicationError("nothing is held")


class Server:
    """Answers each Update with `update`, and each Signal with the next of `signals`; None takes it."""

    def __init__(self, update: Exception, *signals: RPCStatusCode | None) -> None:
        self.update, self.signals, self.taken = update, [*signals], 0
        self.data_converter = connection.data_converter(keyless=True)

    @property
    def client(self) -> Client:
        return cast("Client", self)

    def get_workflow_handle(self, run_id: str) -> Server:
        return self

    async def execute_update(self, *_: object, **__: Any) -> None:
        raise WorkflowUpdateFailedError(self.update)

    async def signal(self, *_: object, **__: Any) -> None:
        status = self.signals.pop(0)
        if status is not None:
            raise RPCError("not now", status, b"")
        self.taken += 1


def said(verb: Verb) -> Command:
    return Command(verb=verb, id="one", actor=ADA)


async def test_an_abort_that_the_server_lost_is_sent_as_a_signal_until_it_is_taken() -> None:
    server = Server(LOST, RPCStatusCode.UNAVAILABLE, RPCStatusCode.DEADLINE_EXCEEDED, None)
    answer = await client.send(server.client, "abcd-day", said(Verb.ABORT))
    assert server.taken == 1 and "the abort is sent" in answer.text


async def test_what_cannot_be_taken_is_not_tried_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Unavailable, match="Temporal does not take it"):
        await client.send(Server(LOST, RPCStatusCode.PERMISSION_DENIED).client, "abcd-day", said(Verb.ABORT))
    monkeypatch.setattr(client, "INSISTENCE", 0.0)
    with pytest.raises(Unavailable, match="Temporal does not take it"):
        await client.send(Server(LOST, RPCStatusCode.UNAVAILABLE).client, "abcd-day", said(Verb.ABORT))


async def test_another_command_that_the_server_lost_was_not_refused() -> None:
    with pytest.raises(Unavailable, match="say it again"):
        await client.send(Server(LOST).client, "abcd-day", said(Verb.HOLD))
    with pytest.raises(Refused, match="nothing is held"):
        await client.send(Server(REFUSED).client, "abcd-day", said(Verb.RESUME))
