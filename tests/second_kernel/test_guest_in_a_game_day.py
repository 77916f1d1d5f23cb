"""A real game day with the guest among its hosts: it is reset in the middle of its faults, and its agent starts again after the boot."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest
from temporalio.client import Client

from gameday.cli.doctor_queues import queues
from gameday.settings import Settings
from tests.rigs import town
from tests.rigs.afar import DISKS, HOME, PAGE, WRITE, Afar
from tests.rigs.second_kernel import HOST_ADDRESS, guest
from worker import client as talking

ON_THE_GUEST = """
      - {name: closed, inject: command, with: {name: close}, on: {host: guest}, for: LENGTH}
      - {name: frozen, inject: process.pause, on: {host: guest, pid_file: /run/sleeper.pid}, for: LENGTH}"""
FAULT = "\n      - {name: frozen, inject: process.pause, on: {host: local, pid_file: PIDFILE}, for: LENGTH}"
DAY = town.DAY.replace(FAULT, ON_THE_GUEST).replace("is unknown for 60s", "is unknown for 120s").replace("timeout: 500ms", "timeout: 2s")
"""The town's day, on a host that is slow, and away for a while."""
SETTINGS = f"""
[commands.close]
do = ["/bin/sh", "-c", '''{WRITE}''', "write", "closed", "{PAGE}"]
undo = ["/bin/sh", "-c", '''{WRITE}''', "write", "open", "{PAGE}"]
check = ["/bin/grep", "-qx", "closed", "{PAGE}"]
"""


@pytest.mark.timeout(1500)
async def test_the_host_of_a_running_day_is_reset(tmp_path: Path) -> None:
    home = tmp_path / "town"
    home.mkdir()
    (home / "settings.toml").write_text("[hosts.local]\n[hosts.guest]\n")
    async with town.town(home, "temporal", "worker") as place:
        with guest(tmp_path / "guest", *DISKS, network=True) as machine:
            afar = Afar(machine, f"{HOST_ADDRESS}:{place.port}")
            machine.run("sh", "-c", f"cat >{HOME}/settings.toml && sync {HOME}/settings.toml {HOME}", typed=SETTINGS)
            sleeper = machine.start("sleep", "100000")
            machine.run("sh", "-c", f"echo {sleeper} >/run/sleeper.pid")
            afar.start_agent()
            await takes_work(await place.client())
            handle = await place.begin(place.day(length="10m", text=DAY))
            machine.until(f"grep -q 'State:.T' /proc/{sleeper}/status && grep -qx closed {PAGE}", "both faults are on", timeout=180)
            boot, faults = afar.boot_id(), afar.live()
            machine.until(f"[ $(ls {HOME}/journal/*/active | wc -l) = 2 ]", "both are told as active")

            machine.pull_the_plug()

            assert afar.boot_id() != boot and afar.page() == "closed" and afar.live() == faults
            afar.start_agent()
            afar.has_settled(180)
            assert afar.page() == "open"
            result = await asyncio.wait_for(talking.outcome(handle, handle.id), 180)
            assert "nothing is left behind" in afar.leftovers()
        record = place.record(result.run_id)
        assert {story.outcome for story in record.faults()} == {"expired"} and not place.journal.live()
        report = Path(result.report).read_text()
        assert report.count("the host was restarted") >= 2 and "both faults are proven gone" in report


async def takes_work(client: Client) -> None:
    """Waits until the guest's agent does."""
    deadline = time.monotonic() + 180
    while True:
        found = [finding for finding in await queues(client, Settings(host="guest")) if finding.about == "agent"]
        if all(finding.verdict == "ok" for finding in found):
            return
        assert time.monotonic() < deadline, found
        await asyncio.sleep(0.2)
