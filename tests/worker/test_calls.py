"""An abort calls people, once, on a real Temporal server with real processes; and what could not be sent is sent by the next conductor."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import pytest

from gameday.commands import Verb
from gameday.event import EventKind
from tests.rigs.paging import SECRET, Hook, paging
from tests.rigs.town import town

pytestmark = pytest.mark.timeout(180)


async def test_an_aborted_day_calls_once_and_what_was_not_sent_is_sent_by_the_next_conductor(tmp_path: Path) -> None:
    rig = Hook(time.time)
    async with paging(rig), town(tmp_path / "home", "temporal") as place:
        settings = tmp_path / "settings.toml"
        settings.write_text(f"[notify.room]\nwebhook = {{url = '{rig.url}/hook', secret = 'secret://env/ROOM'}}\n")
        place.environment = {"GAMEDAY_SETTINGS": str(settings), "ROOM": SECRET, "NO_PROXY": "127.0.0.1"}
        place.start("worker", "agent")
        handle = await place.frozen_day()
        rig.moods.append("hang")  # the server has heard it, and is as good as dead
        await place.tell(handle, Verb.ABORT, reason="seen enough")
        assert (await asyncio.wait_for(handle.result(), 90)).outcome == "aborted"
        assert place.is_clean, "nothing waited for the call"
        await place.until(lambda: rig.asked == 1, "the call is on its way")
        place.kill("worker")
        assert rig.took == []
        place.start("worker")
        room = place.home / "calls" / "room"
        await place.until(lambda: [path.suffix for path in room.iterdir()] == [".done"], "the next conductor calls, and nothing is left to be called")
        (told,) = rig.took
        assert (told["about"], told["run_id"], told["key"]) == ("aborted", handle.id, f"gameday/{handle.id}/ended")
        assert told["text"].startswith("town-day (local): aborted by Ada: “seen enough”. Everything is taken off and read back: `gameday status ")
        aborted = place.record(handle.id).first(EventKind.ABORTED)
        assert aborted is not None and told["id"] == aborted.id
        assert rig.refusals == [] and SECRET not in (place.home / "worker.log").read_text()
