"""A table is locked on a real PostgreSQL: whoever needs it waits. With everybody dead, or cut off, the server ends it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from activities.holders import postgres as holder
from activities.injectors.injector import Host
from activities.injectors.postgres_lock_contention import PostgresLockContention
from activities.journal import Journal
from activities.operators import Operators
from activities.targets import resolve
from gameday.errors import InjectFailed, NotFound, Refused
from gameday.playbook import Target
from gameday.settings import DatabaseSettings, HostSettings
from tests.rigs import database
from tests.rigs.lab import Rig, rig, until


class Orders(Rig):
    """A table that somebody needs."""

    kind = "postgres.lock_contention"
    params: ClassVar[dict[str, Any]] = {"table": "orders"}
    bad_params = ({}, {"table": "orders; drop table orders"}, {"table": '"orders"'}, {"table": "a.b.c"}, {"table": "orders", "mode": "row share"})
    short = 4.0
    every = 40  # a question to the server is a program of its own: a third of a second each

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.stack = contextlib.ExitStack()
        self.address = self.stack.enter_context(database.running())
        self.url_file = folder / "orders.url"
        self.url_file.touch(mode=0o600)
        self.url_file.write_text(f"postgresql://admin:{quote(database.PASSWORD, safe='')}@{self.address}/postgres\n")
        self.ask("CREATE TABLE orders (id int)")

    def settings(self) -> HostSettings:
        return HostSettings(databases={"shop": DatabaseSettings(url_file=self.url_file)})

    def on(self) -> Target:
        return Target(host="local", database="shop")

    def ask(self, question: str) -> None:
        with database.connect(self.address) as connection:
            connection.execute("SET lock_timeout = '200ms'")
            connection.execute(question)  # type: ignore[arg-type]  # of a test's own

    def look(self) -> object:
        try:
            self.ask("SELECT count(*) FROM orders")
        except psycopg.errors.LockNotAvailable:
            return "locked"
        return "free"

    def close(self) -> None:
        self.stack.close()


async def test_everybody_waits_and_goes_on_again(tmp_path: Path, operators: Operators) -> None:
    with rig(Orders, tmp_path / "rig") as target:
        await operators.perform(target.order("f-locked"))
        assert target.look() == "locked"
        (status,) = await operators.revert({"f-locked": "the test is over"})
        assert status["outcome"] == "reverted" and target.look() == "free"


@pytest.mark.parametrize("how", [signal.SIGSTOP, signal.SIGKILL], ids=["frozen", "killed"])
async def test_the_server_ends_it_with_everybody_dead(tmp_path: Path, operators: Operators, how: signal.Signals) -> None:
    """A frozen session says nothing any more: after the lease the server takes it for lost. One that is killed has let go at once."""
    with rig(Orders, tmp_path / "rig") as target:
        await operators.perform(target.order("f-alone", lease=2.0))
        root = Journal.at(tmp_path / "home").root
        os.kill(json.loads((root / ".watchdog").read_bytes())["pid"], signal.SIGKILL)
        os.kill(json.loads((root / "f-alone" / "started").read_bytes())["pid"], how)
        await asyncio.to_thread(until, lambda: target.look() == "free", 7.0)
        assert Journal.at(tmp_path / "home").live(), "nobody took it off"
        (status,) = await operators.revert({"f-alone": "an agent starts"})
        assert status["state"] == "ended" and target.look() == "free"


async def test_a_renewal_keeps_it_and_without_one_it_ends(tmp_path: Path, operators: Operators) -> None:
    with rig(Orders, tmp_path / "rig") as target:
        await operators.perform(target.order("f-kept", lease=3.0))
        for _ in range(8):
            (status,) = (await operators.perform({"op": "renew", "faults": ["f-kept"]}))["statuses"]
            assert status["state"] == "active" and not status.get("problems")
            await asyncio.sleep(0.7)
        assert target.look() == "locked", "nearly twice its lease later"
        await asyncio.to_thread(until, lambda: target.look() == "free", 10.0)
        await operators.revert({"f-kept": "the test is over"})


async def test_a_lock_that_somebody_else_has_is_not_waited_for_for_ever(tmp_path: Path, operators: Operators) -> None:
    """Everybody would queue behind us, and it would be no fault of the playbook's that they wait."""
    with rig(Orders, tmp_path / "rig") as target, database.connect(target.address) as other, other.transaction():
        other.execute("LOCK TABLE orders")
        with pytest.raises(InjectFailed, match="after the change the read-back shows"):
            await operators.perform(target.order("f-behind"))
        assert not Journal.at(tmp_path / "home").live()


async def test_a_table_that_is_not_there_is_refused(tmp_path: Path, operators: Operators, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Orders, "params", {"table": "archive.orders"})
    with rig(Orders, tmp_path / "rig") as target, pytest.raises(Refused, match=re.escape('there is no table "archive"."orders"')):
        await operators.perform(target.order("f-nowhere"))


def test_a_password_is_neither_shown_nor_journaled(tmp_path: Path) -> None:
    file = tmp_path / "db.url"
    file.write_text("postgresql://admin:s3cret@db-1:6000/shop\n")
    file.chmod(0o644)
    settings = HostSettings(databases={"shop": DatabaseSettings(url_file=file)})
    target = resolve(Target(host="local", database="shop"), "local", settings)
    injector, params = PostgresLockContention(), PostgresLockContention.Params(table="orders")
    (step,) = injector.steps(params, target, None)  # type: ignore[arg-type]  # it asks nothing of its host
    assert step.server == "db-1:6000/shop" and "s3cret" not in f"{step} {target}"
    (problem,) = injector.preflight(params, target, None)  # type: ignore[arg-type]  # see above
    assert "can be read by others" in problem and "s3cret" not in problem
    file.write_text("db-1 s3cret")
    with pytest.raises(NotFound) as refused:
        resolve(Target(host="local", database="shop"), "local", settings)
    assert "holds no URL of PostgreSQL" in str(refused.value) and "s3cret" not in str(refused.value)


@pytest.mark.parametrize(("lasts", "refused"), [("5 minutes", True), ("1 day", False), (None, False)])
def test_a_password_that_ends_before_the_fault_may_is_refused(tmp_path: Path, lasts: str | None, refused: bool) -> None:
    with rig(Orders, tmp_path) as orders:
        with database.connect(orders.address) as connection:
            until = connection.execute("SELECT now() + %s::interval", [lasts]).fetchone() if lasts else ("infinity",)
            assert until is not None
            connection.execute(sql.SQL("ALTER ROLE admin VALID UNTIL {}").format(sql.Literal(str(until[0]))))
        injector, target = PostgresLockContention(), resolve(orders.on(), "local", orders.settings())
        host = Host("local", orders.settings(), {}, tmp_path, until=datetime.now(UTC) + timedelta(minutes=10))
        found = list(injector.preflight(injector.Params(table="orders"), target, host))
    assert bool(found) is refused
    if refused:
        assert "the password of its url_file ends at" in found[0] and found[0].endswith("renew it first")


@pytest.mark.parametrize(
    "text", ["postgresql://shop:pass%zzword@127.0.0.1/shop", "root:hash-of-a-password:1:0", "password='hush", "postgresql://[password"]
)
def test_nothing_of_a_url_that_cannot_be_read_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (tmp_path / "url").write_text(text)
    for what in ("look", "hold", "release"):
        assert holder.main(what, str(tmp_path / "url"), "gameday 12345678", "public", "orders", "exclusive", "1") == holder.NO_ANSWER
        assert capsys.readouterr().out == "the file with the database's URL cannot be used (ValueError)\n"
