"""The doctor tries how people are called, and calls nobody."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from gameday.cli.diagnosis import Finding
from gameday.cli.doctor_notify import notifiers
from gameday.notify import NotifierSettings
from gameday.settings import Settings


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOOK", "hush")


def tried(**way: Any) -> Finding:
    (found,) = notifiers(Settings(notify={"room": NotifierSettings.model_validate(way)}))
    return found


def hook(port: int, secret: str = "secret://env/HOOK") -> Finding:
    return tried(webhook={"url": f"http://127.0.0.1:{port}/in-the-address", "secret": secret})


def test_a_server_that_takes_a_connection_is_sent_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert hook(port) == Finding("ok", "notify", f"room: its secret is there, and webhook answers at 127.0.0.1:{port}; nothing was sent")
        connection, _ = server.accept()
        with connection:
            assert connection.recv(1) == b""


def test_what_does_not_answer_or_resolve_is_said_without_its_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        found = hook(unused.getsockname()[1])
    assert (found.verdict, "does not answer (Connection refused)" in found.found) == ("no", True)
    assert "in-the-address" not in found.found + found.advice
    found = tried(opsgenie={"api_key": "secret://env/HOOK", "url": "http://no-such-host.invalid"})
    assert (found.verdict, found.found) == ("no", "room: the name of no-such-host.invalid:80 does not resolve")


def test_a_secret_that_is_missing_here_is_half_a_notifier() -> None:
    found = hook(9, "secret://file/no/such/file")
    assert found.verdict == "part"
    assert found.found == "room: secret://file/no/such/file cannot be read: No such file or directory here; webhook could call nobody"


def test_a_proxy_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    assert tried(pagerduty={"routing_key": "secret://env/HOOK"}).verdict == "part"


def test_a_terminal_needs_nothing_and_nobody_to_call_is_said() -> None:
    assert tried(terminal={}) == Finding("ok", "notify", "room: the conductor's terminal or log")
    assert [each.found for each in notifiers(Settings())] == ["the settings name nobody to call: [notify.NAME]"]
