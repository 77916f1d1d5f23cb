"""What holds for every test: in CI a skip is a failure, unless the kernel or the hardware lacks something; and what takes long begins first."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

EXCUSES = ("kernel: ", "hardware: ")
"""How the reason begins where what is missing cannot be installed."""

ONE_MACHINE = "tests/second_kernel"
"""Its tests share one emulated machine, so that they take turns."""
LONGEST = (
    ONE_MACHINE,
    "tests/worker/test_survival.py",
    "tests/worker/test_soak.py",
    "tests/activities/test_crash_boundaries.py",
    "tests/worker/test_killed_in_between.py",
    "tests/activities/test_crash_boundaries_of_undo.py",
    "tests/demo/test_kills.py",
    "tests/worker/test_up.py",
    "tests/deploy/test_image.py",
    "tests/demo/test_demo_day_in_slack.py",
    "tests/control_room/test_buttons.py",
    "tests/control_room/test_a_day_in_slack.py",
    "tests/control_room/test_rooms_of_a_run.py",
    "tests/workflows/test_presence.py",
    "tests/demo/test_demo_day.py",
    "tests/workflows/test_game_day.py",
    "tests/worker/test_aborts.py",
)
"""What takes minutes, the longest first: the others fill up what is left at the end."""


class ByFile(LoadFileScheduling):
    """A file's tests stay together, for the sake of what they share."""

    def _split_scope(self, nodeid: str) -> str:
        return ONE_MACHINE if nodeid.startswith(ONE_MACHINE) else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    return ByFile(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def turn(item: pytest.Item) -> int:
        return next((place for place, name in enumerate(LONGEST) if item.nodeid.startswith(name)), len(LONGEST))

    items.sort(key=turn)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        if not reason.removeprefix("Skipped: ").startswith(EXCUSES):
            report.outcome = "failed"
            report.longrepr = f"{item.nodeid} was skipped in CI: {reason}"
    return report


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What tests counted is shown at the end, whichever process they ran in."""
    reports = [report for group in terminalreporter.stats.values() for report in group if getattr(report, "when", "") == "call"]
    counted = [value for report in reports for name, value in report.user_properties if name == "counted"]
    for line in counted:
        terminalreporter.write_line(line)
