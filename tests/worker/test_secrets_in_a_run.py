"""Secrets go through a whole real run, are used, and are nowhere afterwards but where they came from."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from gameday.commands import Verb
from gameday.event import EventKind
from tests.rigs.town import ROOT, Town, town
from tests.rigs.web import served

pytestmark = pytest.mark.timeout(120)
HEADER, IN_FILE, PASSWORD, WORD = "HEADER-canary", "FILE-canary", "PASSWORD-canary", "WORD-canary"
DAY = """
name: town-day
objective: Is anything said?
sampling: {every: 200ms, timeout: 500ms, baseline: 600ms, baseline_samples: 1, steady_samples: 2}
probes:
  good: {http: {url: 'SERVER/good', measure: ok, headers: {Authorization: 'Bearer secret://env/SHOP_TOKEN', X-Key: 'secret://fileHOME/token'}}}
  bad: {http: {url: 'SERVER/bad', headers: {Authorization: 'Bearer secret://env/SHOP_TOKEN'}}}
  page: {openmetrics: {url: 'SERVER/page', metric: up, headers: {Authorization: 'Bearer secret://env/SHOP_TOKEN'}}}
  asked: {prometheus: {url: 'SERVER/asked', query: up, headers: {Authorization: 'Bearer secret://env/SHOP_TOKEN'}}}
  lines: {http: {url: 'SERVER/lines', headers: {Authorization: 'secret://env/TWO_LINES'}}}
  none: {http: {url: 'SERVER/none', headers: {Authorization: 'secret://env/NO_SUCH'}}}
gates: {inject: off}
scenarios:
  - title: All of it
    hypothesis: Nobody says anything
    faults:
      - {name: frozen, inject: process.pause, on: {host: local, pid_file: PIDFILE}, for: 60s}
      - {name: refused, inject: command, with: {name: failing}}
      - {name: locked, inject: postgres.lock_contention, on: {host: local, database: shop}, with: {table: orders}}
    afterwards: {steady_for: 0s, recover_within: 1s}
"""
SETTINGS = f"""
[commands.failing]
do = ["sh", "-c", "exit 3", "{WORD}"]
undo = ["true", "{WORD}"]
check = ["sh", "-c", "exit 1", "{WORD}"]
[hosts.local.databases.shop]
url_file = "HOME/shop.url"
"""


class Nosy:
    """A service that repeats whatever it is told, where an error text might pick it up."""

    def __init__(self) -> None:
        self.told: dict[str, str] = {}

    async def answer(self, request: web.Request) -> web.Response:
        told = request.headers.get("Authorization", "")
        self.told[request.path] = told + request.headers.get("X-Key", "")
        if request.path == "/good":
            return web.Response()
        return web.Response(status=500, reason=f"no {told}", text=f'{{"status": "error", "error": "no such token {told}"}}')


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Town]:
    home = tmp_path / "home"
    async with town(home, "temporal") as built:
        (home / "settings.toml").write_text(SETTINGS.replace("HOME", str(home)))
        for name, text in {"token": IN_FILE, "shop.url": f"postgresql://shop:{PASSWORD}@127.0.0.1:1/shop"}.items():
            (home / name).touch(mode=0o600)
            (home / name).write_text(text)
        built.environment |= {"SHOP_TOKEN": HEADER, "TWO_LINES": f"{HEADER}\n{HEADER}", "GAMEDAY_LOG": "INFO"}
        yield built


def said(place: Town, *words: str) -> str:
    environment = {**os.environ, "GAMEDAY_HOME": str(place.home), "TEMPORAL_ADDRESS": f"127.0.0.1:{place.port}"}
    ran = subprocess.run([sys.executable, "-m", "gameday", *words], env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    return ran.stdout + ran.stderr


def ended(place: Town, run_id: str) -> set[str]:
    return {event.text("name") for event in place.record(run_id).events if event.kind is EventKind.FAULT_ENDED}


async def test_a_secret_is_used_and_nowhere_said(place: Town) -> None:
    nosy = Nosy()
    async with served(nosy.answer) as server:
        place.start("worker", "agent")
        text = DAY.replace("SERVER", server).replace("HOME", str(place.home))
        handle = await place.begin(place.day(text=text))
        await place.until(lambda: place.is_frozen and ended(place, handle.id) == {"refused", "locked"}, "one is on, the others have failed")
        shown = await asyncio.gather(*(asyncio.to_thread(said, place, *words) for words in (("status", "--json"), ("leftovers", "--json"))))
        await place.tell(handle, Verb.ABORT, reason="enough")
        assert (await handle.result()).outcome == "aborted"
    assert nosy.told["/good"] == f"Bearer {HEADER}{IN_FILE}" and nosy.told["/asked/api/v1/query"] == f"Bearer {HEADER}"
    assert "/lines" not in nosy.told and "/none" not in nosy.told
    record = place.record(handle.id)
    assert any("500" in (sample.unknown or "") for sample in record.samples)
    assert any("refused the query: no such token Bearer secret://env/SHOP_TOKEN" in (sample.unknown or "") for sample in record.samples)
    assert any("holds more than one line" in (sample.unknown or "") for sample in record.samples)
    pages = (("report", "--json"), ("replay",), ("follow", "--json"))
    shown += await asyncio.gather(*(asyncio.to_thread(said, place, *words) for words in pages))
    client = await place.client()
    async for run in client.list_workflows():
        shown += [event.SerializeToString().decode("latin-1") async for event in client.get_workflow_handle(run.id).fetch_history_events()]
    place.kill("temporal")
    kept = {str(path): path.read_bytes().decode("latin-1") for path in place.home.rglob("*") if path.is_file() and path.name not in KEEP}
    assert (
        len(kept) > 8
        and any(name.endswith("postmortem.md") for name in kept)
        and any("secret://env/SHOP_TOKEN" in text for name, text in kept.items() if "gameday.db" in name)
    )
    everything = {**kept, **{f"shown {number}": text for number, text in enumerate(shown)}}
    for secret in (HEADER, IN_FILE, PASSWORD, WORD, HEADER.removesuffix("canary")):
        assert [name for name, text in everything.items() if secret in text and not (secret == WORD and "/journal/" in name)] == [], secret


KEEP = {"token", "shop.url", "settings.toml"}
"""Where the operator keeps them. The words of an operator's command are in the journal too, which is private."""
