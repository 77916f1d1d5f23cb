"""The pictures of docs/slack.md are made from a told day by the code that a room is shown with: their pages can be built."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

IMAGES = Path(__file__).parents[2] / "docs" / "images"


@pytest.fixture
def rooms(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(IMAGES))
    spec = importlib.util.spec_from_file_location("rooms_of_the_docs", IMAGES / "rooms.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "snapshot", lambda record, scenario: None)  # the probes' own pictures are tried elsewhere
    return module


def test_each_page_shows_its_room(rooms: ModuleType) -> None:
    control, response, go = rooms.control_room(), rooms.response_room(), rooms.go()
    assert "The ledger freezes" in control and "ledger does not answer, failing over" in control
    assert "a customer was charged twice" in response and "The ledger is slow" not in response
    assert "ledger-frozen" in go and "This touches exactly" in go
