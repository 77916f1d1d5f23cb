"""`[notify.NAME]`: mistakes are told in words, and never repeat what may be a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

from gameday.errors import SettingsError
from gameday.notify import About
from gameday.settings import Settings, load_settings

SECRET = "R0UT1NG-K3Y"
"""Written where it must not be."""
REFERENCE = "a secret is never written here, only where it is; expected secret://env/NAME or secret://file/PATH"
ADDRESS = "this is no http address, or has a user name or a password in it; expected one such as https://hooks.example/gameday"
ONE = "people are called in exactly one way; expected one of terminal, webhook, pagerduty, opsgenie and slack"


def loaded(text: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    (folder / "settings.toml").write_text(text)
    monkeypatch.setenv("GAMEDAY_SETTINGS", str(folder / "settings.toml"))
    return load_settings()


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        (f"pagerduty = {{routing_key = '{SECRET}'}}", ".pagerduty.routing_key", REFERENCE),
        (f"opsgenie = {{api_key = 'secret://vault/{SECRET}'}}", ".opsgenie.api_key", REFERENCE),
        (f"opsgenie = {{api_key = ['{SECRET}']}}", ".opsgenie.api_key", REFERENCE),
        (f"webhook = {{url = 'https://h.example', secret = 'secret://env/{SECRET}'}}", ".webhook.secret", REFERENCE),
        (f"webhook = {{url = 'https://h.example', secret = 'Bearer secret://env/A {SECRET}'}}", ".webhook.secret", REFERENCE),
        (f"webhook = {{url = 'ftp://{SECRET}', secret = 'secret://env/A'}}", ".webhook.url", ADDRESS),
        (f"webhook = {{url = 'https://ada:{SECRET}@h.example', secret = 'secret://env/A'}}", ".webhook.url", ADDRESS),
        (f"pagerduty = '{SECRET}'", ".pagerduty", "this is no table; expected {routing_key = …, url = …}"),
        (f"webhook = 'https://h.example/{SECRET}'", ".webhook", "this is no table; expected {url = …, secret = …}"),
        (f"pagerduty = {{key = '{SECRET}', routing_key = 'secret://env/A'}}", ".pagerduty.key", "there is no such key"),
        ("webhook = {url = 'https://h.example'}", ".webhook.secret", "is missing"),
        (
            f"pagerduty = {{routing_key = 'secret://env/A', url = 'https://h.example/?{SECRET}'}}",
            ".pagerduty.url",
            "a base URL has no query; expected one such as https://events.eu.pagerduty.com",
        ),
        ("about = ['dirty']", "", ONE),
        ("terminal = {}\npagerduty = {routing_key = 'secret://env/A'}", "", ONE),
    ],
)
def test_a_mistake_is_told_in_words_that_do_not_repeat_it(text: str, place: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(f"[notify.page]\n{text}\n", tmp_path, monkeypatch)
    assert str(caught.value) == f"{tmp_path}/settings.toml or GAMEDAY_* in the environment: notify.page{place}: {says}"
    assert SECRET not in repr(caught.value.__cause__)


@pytest.mark.parametrize("text", [f"notify = '{SECRET}'", f"[[notify]]\npagerduty = '{SECRET}'"])
def test_what_is_no_section_is_not_repeated_either(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match=r"notify: this is no table; expected a section \[notify.NAME\]") as caught:
        loaded(text, tmp_path, monkeypatch)
    assert SECRET not in str(caught.value)


def test_what_people_are_not_called_about_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SettingsError, match="'filthy' does not fit here; expected 'dirty', 'clean'"):
        loaded("[notify.page]\nterminal = {}\nabout = ['filthy']\n", tmp_path, monkeypatch)


def test_a_notifier_is_for_everything_unless_told_otherwise_and_base_urls_lose_their_slash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "[notify.page]\npagerduty = {routing_key = 'secret://file/etc/key', url = 'https://events.eu.pagerduty.com/'}\n"
    page = loaded(text, tmp_path, monkeypatch).notify["page"]
    assert set(page.about) == set(About)
    assert page.pagerduty is not None and page.pagerduty.url == "https://events.eu.pagerduty.com"
