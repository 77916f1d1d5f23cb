"""docs/security.md names a test for each threat, and each of them is there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "security.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def threats() -> list[str]:
    """The rows of the table."""
    table = TEXT.split("\n## Threats\n")[1].split("\n## ")[0]
    return [line for line in table.splitlines() if line.startswith("| ")][1:]


def names_in(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {each.name for each in tree.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_each_threat_names_its_tests() -> None:
    assert len(threats()) > 20
    for row in threats():
        *_, tests, _ = row.split("|")
        assert NAMED.findall(tests) and not NAMED.sub("", tests).strip(" ,"), row


def test_each_test_that_is_named_is_there() -> None:
    missing = [f"{path}::{name}" for path, name in NAMED.findall(TEXT) if not (ROOT / path).is_file() or name not in names_in(path)]
    assert missing == []
