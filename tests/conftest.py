"""What holds for every test: in CI a skip is a failure, unless the kernel or the hardware lacks something."""

from __future__ import annotations

import os
from collections.abc import Generator
from typing import Any

import pytest

EXCUSES = ("kernel: ", "hardware: ")
"""How the reason begins where what is missing cannot be installed."""


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
