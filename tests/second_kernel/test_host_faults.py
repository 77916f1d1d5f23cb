"""The host faults under a stock kernel: another nftables, another scheduler and cgroup v2. What runs there are the injectors' own tests."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.rigs.second_kernel import guest

FILES = ("test_injector_contract.py", "injectors/test_network_partition.py", "injectors/test_network_loss.py")
FAULTS = "leaves_the_target and (command or network or process.pause or (restart and not SIGTERM))"
ORPHANS = "owner_dies and process.pause"
OWN = "packets_are_dropped or (with_everybody_dead and test_network_loss) or its_share"
AT_LEAST = 9
"""So many are chosen by the words above: an emulated machine is too slow for all."""


@pytest.mark.timeout(1500)
def test_the_injectors_pass_their_tests_there(tmp_path: Path, record_property: Any) -> None:
    chosen = f"({FAULTS}) or ({ORPHANS}) or {OWN}"
    files = [f"tests/activities/{name}" for name in FILES]
    with guest(tmp_path) as machine:
        pytest_there = (sys.executable, "-m", "pytest", "-v", "-p", "no:cacheprovider", "--junit-xml=/run/seen.xml", "-k", chosen, *files)
        done = machine.attempt(*pytest_there, env={"CI": os.environ.get("CI", ""), "GAMEDAY_TESTS_SLOWNESS": "12"}, timeout=1200)
        kernel = machine.run("uname", "-r").strip()
        (suite,) = ElementTree.fromstring(machine.run("cat", "/run/seen.xml"))
    total, failed, skipped = (int(suite.get(name, "0")) for name in ("tests", "failures", "skipped"))
    for case in suite.iter("testcase"):
        for skip in case.iter("skipped"):
            record_property("counted", f"skipped under the kernel {kernel}: {case.get('name')}: {skip.get('message')}")
    record_property("counted", f"host faults under the kernel {kernel}: {total - skipped} tests ran, {failed} failed, {skipped} were skipped")
    assert done.status == 0, done.said[-5000:]
    assert total - skipped >= AT_LEAST, f"too few ran: {total - skipped}, expected at least {AT_LEAST}"
