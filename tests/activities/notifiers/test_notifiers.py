"""Each way of calling, against a server that keeps to its protocol."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from email.utils import format_datetime

import httpx
import pytest

from activities.notifiers.named import named
from activities.notifiers.notifier import Notifier, NotSent
from activities.notifiers.terminal import TerminalNotifier
from gameday.notice import Notice, Severity
from gameday.notify import About, NotifierSettings
from tests.activities.conftest import NOON
from tests.activities.notifiers.conftest import Clock, made
from tests.rigs.paging import Hook, Opsgenie, Pager, PagerDuty, paging

WAYS: dict[str, tuple[type[Pager], Callable[[str], dict[str, str]]]] = {
    "webhook": (Hook, lambda url: {"url": f"{url}/hook?token=in-the-address", "secret": "secret://env/HOOK"}),
    "pagerduty": (PagerDuty, lambda url: {"url": f"{url}/", "routing_key": "secret://env/PAGERDUTY"}),
    "opsgenie": (Opsgenie, lambda url: {"url": url, "api_key": "secret://env/OPSGENIE"}),
}


def notifier(kind: str, url: str, http: httpx.AsyncClient, clock: Clock) -> Notifier:
    settings = NotifierSettings.model_validate({kind: WAYS[kind][1](url)})
    return named({"it": settings}, http, clock)["it"]


@pytest.fixture(params=WAYS)
async def way(request: pytest.FixtureRequest, http: httpx.AsyncClient, clock: Clock) -> AsyncIterator[tuple[Notifier, Pager]]:
    async with paging(WAYS[request.param][0](clock)) as rig:
        yield notifier(request.param, rig.url, http, clock), rig


@pytest.mark.parametrize("about", About)
@pytest.mark.parametrize("severity", Severity)
async def test_the_longest_notice_of_every_kind_is_taken(way: tuple[Notifier, Pager], about: About, severity: Severity) -> None:
    called, rig = way
    await called.send(made(about=about, severity=severity))
    assert (len(rig.took), rig.refusals) == (1, [])


async def test_a_notice_without_playbook_and_people_is_taken(way: tuple[Notifier, Pager]) -> None:
    called, rig = way
    await called.send(made(playbook=None, environment=None, to=(), details=(), text="x"))
    assert (len(rig.took), rig.refusals) == (1, [])


@pytest.mark.parametrize(
    ("mood", "final", "after"),
    [
        (500, False, None),
        (503, False, None),
        (408, False, None),
        (425, False, None),
        (429, False, None),
        ((429, "7"), False, 7.0),
        ((503, format_datetime(NOON + timedelta(seconds=90), usegmt=True)), False, 90.0),
        ((429, format_datetime(NOON - timedelta(hours=1), usegmt=True)), False, 0.0),
        ((429, "soon"), False, None),
        (301, False, None),
        (400, True, None),
        (401, False, None),
        (404, False, None),
        (422, True, None),
        ("close", False, None),
    ],
)
async def test_what_an_answer_means(way: tuple[Notifier, Pager], mood: int | str | tuple[int, str], final: bool, after: float | None) -> None:
    called, rig = way
    rig.moods.append(mood)
    with pytest.raises(NotSent) as failed:
        await called.send(made())
    assert (failed.value.final, failed.value.after, rig.took, rig.asked) == (final, after, [], 1)


async def test_no_failure_says_a_secret_or_a_path(way: tuple[Notifier, Pager], caplog: pytest.LogCaptureFixture) -> None:
    """Also where the server repeats it."""
    called, rig = way
    rig.moods.extend([500, 400])
    for _ in range(2):
        with pytest.raises(NotSent, match="not now, whoever has …") as failed:
            await called.send(made())
        said = repr(failed.value) + repr(failed.value.__cause__) + caplog.text
        assert rig.secret not in said and "in-the-address" not in said


@pytest.mark.parametrize("kind", WAYS)
async def test_nobody_there_is_tried_again(kind: str, http: httpx.AsyncClient, clock: Clock, closed_port: int) -> None:
    with pytest.raises(NotSent, match="refused the connection") as failed:
        await notifier(kind, f"http://127.0.0.1:{closed_port}", http, clock).send(made())
    assert not failed.value.final


async def test_a_secret_that_is_not_there_is_named_by_its_reference(way: tuple[Notifier, Pager], monkeypatch: pytest.MonkeyPatch) -> None:
    called, rig = way
    for name in ("HOOK", "PAGERDUTY", "OPSGENIE"):
        monkeypatch.delenv(name)
    with pytest.raises(NotSent, match=f"secret://env/{'HOOK' if isinstance(rig, Hook) else called.kind.upper()} is not set"):
        await called.send(made())
    assert rig.asked == 0


async def test_a_webhook_is_believed_only_with_its_secret_and_in_time(http: httpx.AsyncClient, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    async with paging(Hook(clock)) as rig:
        late = Clock()
        late.now -= 301
        with pytest.raises(NotSent, match="answered 401") as failed:
            await notifier("webhook", rig.url, http, late).send(made())
        monkeypatch.setenv("HOOK", "guessed")
        with pytest.raises(NotSent, match="answered 401"):
            await notifier("webhook", rig.url, http, clock).send(made())
    assert not failed.value.final and rig.refusals == [f"the time {int(late.now)} is not now", "the signature does not fit"]


async def test_a_webhook_gets_the_whole_notice(http: httpx.AsyncClient, clock: Clock) -> None:
    sent = made(text="It is called Größe – “so”")
    async with paging(Hook(clock)) as rig:
        await notifier("webhook", rig.url, http, clock).send(sent)
    (told,) = rig.took
    assert Notice.model_validate(told) == sent


async def test_pagerduty_has_one_incident_a_key_and_an_all_clear_resolves_it(http: httpx.AsyncClient, clock: Clock) -> None:
    rig = PagerDuty(clock)
    async with paging(rig):
        called = notifier("pagerduty", rig.url, http, clock)
        for identity in ("e1", "e1", "e2"):
            await called.send(made(identity, text=f"{identity} is dirty"))
        await called.send(made("e3", key="another"))
        assert set(rig.incidents) == {"gameday/7kq2-day/e1", "another"}
        assert rig.incidents["gameday/7kq2-day/e1"] == ["e1 is dirty", "e1 is dirty", "e2 is dirty"]
        await called.send(made("e4", about=About.CLEAN, severity=Severity.INFO))
    assert set(rig.incidents) == {"another"}
    assert rig.took[0]["payload"] | {"custom_details": None} == {
        "summary": "e1 is dirty",
        "source": "staging",
        "severity": "critical",
        "timestamp": "2026-06-18T12:00:00+00:00",
        "component": "day",
        "group": "7kq2-day",
        "class": "dirty",
        "custom_details": None,
    }


async def test_opsgenie_counts_up_an_open_alias_and_an_all_clear_closes_it(http: httpx.AsyncClient, clock: Clock) -> None:
    rig = Opsgenie(clock)
    async with paging(rig):
        called = notifier("opsgenie", rig.url, http, clock)
        await called.send(made("e1"))
        await called.send(made("e2"))
        assert rig.alerts == {"gameday/7kq2-day/e1": 2}
        await called.send(made("e4", about=About.CLEAN, severity=Severity.INFO))
        assert rig.alerts == {}
    assert (rig.took[0]["priority"], len(rig.took[0]["message"]), rig.took[0]["tags"]) == ("P1", 130, ["gameday", "dirty", "staging"])


class Screen(io.StringIO):
    """Somebody sits before it."""

    def isatty(self) -> bool:
        return True


async def test_a_terminal_rings_and_a_log_gets_a_line() -> None:
    told = made(text="frozen is not proven gone", details=("Restart it",))
    screen, log = Screen(), io.StringIO()
    await TerminalNotifier(screen).send(told)
    await TerminalNotifier(log).send(told)
    assert screen.getvalue() == "\a⚠ CRITICAL [Margaret (technical lead)] frozen is not proven gone\n    Restart it\n"
    assert log.getvalue() == ("2026-06-18T12:00:00+00:00 CALL critical dirty [Margaret (technical lead)] frozen is not proven gone (Restart it)\n")


async def test_a_terminal_that_is_gone_is_tried_again() -> None:
    gone = io.StringIO()
    gone.close()
    with pytest.raises(NotSent, match="the terminal takes nothing") as failed:
        await TerminalNotifier(gone).send(made())
    assert not failed.value.final
