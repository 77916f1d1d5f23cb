"""Signed callbacks: only what Slack has signed, lately, is read at all; it acts once; junk is a 4xx and one line."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from urllib.parse import urlencode, urlsplit

import httpx
import pytest

from control_room.doors import callbacks
from control_room.doors.callbacks import served
from control_room.payloads import MOST_BYTES
from control_room.reception import Reception
from tests.control_room.conftest import Noting, slash

SECRET = "8f742231b10e8888abcd99yyyzzz85a5"


@pytest.fixture
async def door(reception: Reception) -> AsyncIterator[httpx.AsyncClient]:
    said: list[str] = []
    async with served("127.0.0.1:0", SECRET, reception, said.append), httpx.AsyncClient(base_url=said[0]) as client:
        yield client


def signed(body: bytes, ago: float = 0.0, secret: str = SECRET) -> dict[str, str]:
    stamp = str(int(time.time() - ago))
    signature = hmac.new(secret.encode(), b":".join((b"v0", stamp.encode(), body)), hashlib.sha256).hexdigest()
    return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={signature}", "Content-Type": "application/x-www-form-urlencoded"}


COMMAND = urlencode(dict(slash("abort"))).encode()


async def test_what_slack_has_signed_is_taken_and_acknowledged(door: httpx.AsyncClient, reception: Reception, desk: Noting) -> None:
    answer = await door.post("/slack/commands", content=COMMAND, headers=signed(COMMAND))
    await reception.close(5)
    assert (answer.status_code, answer.content, [each.who.user for each in desk.worked]) == (200, b"", ["U03"])


UNSIGNED: dict[str, Callable[[], dict[str, str]]] = {
    "nothing": dict,
    "another secret": lambda: signed(COMMAND, secret="another"),
    "stale": lambda: signed(COMMAND, ago=302),
    "from the future": lambda: signed(COMMAND, ago=-330),
    "another body": lambda: signed(COMMAND + b"&x=1"),
    "no hash": lambda: {**signed(COMMAND), "X-Slack-Signature": "v0="},
    "no time": lambda: {**signed(COMMAND), "X-Slack-Request-Timestamp": "nan"},
    "a long time": lambda: {**signed(COMMAND), "X-Slack-Request-Timestamp": "9" * 400},
}
"""Made when they are sent: a signature grows old while tests are collected."""


@pytest.mark.parametrize("headers", UNSIGNED.values(), ids=UNSIGNED)
async def test_what_slack_did_not_sign_is_refused(
    door: httpx.AsyncClient, desk: Noting, headers: Callable[[], dict[str, str]], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        answer = await door.post("/slack/commands", content=COMMAND, headers=headers())
    assert (answer.status_code, desk.worked) == (401, [])
    assert len([each for each in caplog.records if each.name.startswith("control_room")]) == 1


async def test_a_replay_acts_once(door: httpx.AsyncClient, reception: Reception, desk: Noting) -> None:
    """Slack's own retries, and somebody's who has seen one within its five minutes."""
    for number in range(4):
        headers = {**signed(COMMAND, ago=number), "X-Slack-Retry-Num": str(number)}
        assert (await door.post("/slack/commands", content=COMMAND, headers=headers)).status_code == 200
    await reception.close(5)
    assert len(desk.worked) == 1


JUNK = {
    "no json": ("/slack/events", b"{"),
    "no object": ("/slack/events", b"[1]"),
    "deep": ("/slack/events", b"[" * 100_000),
    "no payload": ("/slack/interactive", b"x=1"),
    "no fields": ("/slack/commands", b""),
    "no text": ("/slack/commands", b"\xff\xfe=1"),
    "hostile user": ("/slack/commands", urlencode({**slash(), "user_id": "U03'; --"}).encode()),
    "many fields": ("/slack/commands", b"&".join(b"a=1" for _ in range(1000))),
}


@pytest.mark.parametrize(("path", "body"), JUNK.values(), ids=JUNK)
async def test_junk_is_a_4xx_and_one_line(door: httpx.AsyncClient, desk: Noting, path: str, body: bytes, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        answer = await door.post(path, content=body, headers=signed(body))
    said = [each.getMessage() for each in caplog.records if each.name.startswith("control_room")]
    assert (answer.status_code, desk.worked, len(said)) == (400, [], 1)
    assert len(said[0]) < 200 and "U03'" not in said[0] and "Traceback" not in said[0]


async def test_what_is_too_large_is_not_read_to_its_end(door: httpx.AsyncClient, desk: Noting) -> None:
    body = b"a=" + b"x" * MOST_BYTES
    assert (await door.post("/slack/commands", content=body, headers=signed(body))).status_code == 413
    assert (await door.get("/slack/commands")).status_code == 405
    assert (await door.post("/slack/other", content=b"")).status_code == 404
    assert desk.worked == []


async def test_what_is_compressed_is_not_even_unpacked(door: httpx.AsyncClient, desk: Noting) -> None:
    answer = await door.post("/slack/commands", content=b"no deflate", headers={**signed(COMMAND), "Content-Encoding": "deflate"})
    assert (answer.status_code, desk.worked) == (415, [])


async def test_a_body_that_does_not_come_is_not_waited_for(door: httpx.AsyncClient, desk: Noting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "READ_WITHIN", 0.3)
    address = urlsplit(str(door.base_url))
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    writer.write(b"POST /slack/commands HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\na=")
    async with asyncio.timeout(20):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()
    assert desk.worked == []


async def test_slack_is_answered_when_it_asks_whose_address_it_is(door: httpx.AsyncClient) -> None:
    body = json.dumps({"type": "url_verification", "challenge": "3eZbrw1aB"}).encode()
    assert (await door.post("/slack/events", content=body, headers=signed(body))).json() == {"challenge": "3eZbrw1aB"}


async def test_a_dialog_stays_open_with_what_is_wrong_in_it(door: httpx.AsyncClient, desk: Noting) -> None:
    from tests.control_room.test_payloads import SENT

    desk.wrong = {"q0": "expected a time"}
    body = urlencode({"payload": json.dumps(SENT)}).encode()
    answer = await door.post("/slack/interactive", content=body, headers=signed(body))
    assert answer.json() == {"response_action": "errors", "errors": {"q0": "expected a time"}}
    assert desk.worked == []


async def test_slow_work_keeps_no_acknowledgement_waiting(door: httpx.AsyncClient, reception: Reception, desk: Noting) -> None:
    desk.slow = 3600.0
    for number in range(30):
        body = urlencode(dict(slash("status", trigger=f"t.{number}"))).encode()
        assert (await door.post("/slack/commands", content=body, headers=signed(body), timeout=10)).status_code == 200
    assert desk.worked == []
