"""The run store: plans, events and samples, in SQLite or any database that a URL names. All are append-only and hash-chained (chain.py)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError
from sqlalchemy.dialects import postgresql, sqlite

from activities import chain
from activities.store_schema import SCHEMA_VERSION, unusable
from gameday.errors import BadInput, NotFound, Unavailable
from gameday.event import Event, EventKind
from gameday.plan import Plan, RunKind
from gameday.probe import Sample
from gameday.record import RunRecord
from gameday.verdicts import Outcome

_MOST_EARLIER = 20
"""Runs over which it is told how near people's predictions were."""
_PREDICTING = (EventKind.PREDICTED, EventKind.PREDICTIONS_OPENED, EventKind.REVEALED, EventKind.REAL_CALLED, EventKind.RUN_ENDED)
_MOST_REHEARSALS = 200
"""Runs of a playbook that are looked through for its last rehearsal."""
_AT_ONCE = 500
"""Values in one query: databases have their limits."""
_PREPARING = 0x67616D65646179
"""The advisory lock under which the tables are made: "gameday" in ASCII."""

metadata = sa.MetaData()
meta = sa.Table("gameday_meta", metadata, sa.Column("key", sa.String(40), primary_key=True), sa.Column("value", sa.String(200), nullable=False))
runs = sa.Table(
    "gameday_runs",
    metadata,
    sa.Column("run_id", sa.String(80), primary_key=True),
    sa.Column("playbook", sa.String(80), nullable=False, index=True),
    sa.Column("started_at", sa.String(40), nullable=False, index=True),
    sa.Column("plan", sa.Text, nullable=False),
    sa.Column("length", sa.Integer, nullable=False),
    sa.Column("head", sa.String(64), nullable=False),
    sa.Column("sampled", sa.Integer, nullable=False),
    sa.Column("sample_head", sa.String(64), nullable=False),
)
events = sa.Table(
    "gameday_events",
    metadata,
    sa.Column("run_id", sa.String(80), primary_key=True),
    sa.Column("seq", sa.Integer, primary_key=True),
    sa.Column("id", sa.String(64), nullable=False, unique=True),
    sa.Column("event", sa.Text, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)
samples = sa.Table(
    "gameday_samples",
    metadata,
    sa.Column("run_id", sa.String(80), primary_key=True),
    sa.Column("at", sa.String(40), primary_key=True),
    sa.Column("probe", sa.String(64), primary_key=True),
    sa.Column("value", sa.Float),
    sa.Column("unknown", sa.String(300)),
    sa.Column("took_ms", sa.Float, nullable=False),
    sa.Column("seq", sa.Integer, nullable=False),
    sa.Column("hash", sa.String(64), nullable=False),
)
present = sa.Table(
    "gameday_present",
    metadata,
    sa.Column("run_id", sa.String(80), primary_key=True),
    sa.Column("name", sa.String(200), primary_key=True),
    sa.Column("at", sa.String(40), nullable=False),
)
"""Who follows a run, and when they were there last. No part of the record."""


class NotOpened(Unavailable):
    """The store has no such run yet: its plan comes first."""


@dataclass(frozen=True)
class RunLine:
    """One run in a list."""

    run_id: str
    playbook: str
    started_at: datetime
    outcome: str | None


class RunStore:
    """Reads and writes run records. Every method is one transaction.

    Raises:
        Unavailable: the database does not answer; nothing was written.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        if url.startswith("sqlite:///"):
            Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._engine = _engine(url)
        self._ready = False

    def _begin(self, snapshot: bool = False) -> Any:
        """A transaction; with `snapshot`, one whose queries all see the same moment, as on SQLite they always do."""
        if not self._ready:
            self._prepare()
        if snapshot and self._engine.dialect.name == "postgresql":
            return self._engine.execution_options(isolation_level="REPEATABLE READ").begin()
        return self._engine.begin()

    def _prepare(self) -> None:
        with _translated(), self._engine.begin() as connection:
            if self._engine.dialect.name == "postgresql":  # its `create if not exists` fails where two do it at once
                connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_PREPARING)))
            metadata.create_all(connection)
            version = connection.scalar(sa.select(meta.c.value).where(meta.c.key == "schema"))
            if version is None:
                connection.execute(sa.insert(meta).values(key="schema", value=str(SCHEMA_VERSION)))
            elif problem := unusable(int(version)):
                raise Unavailable(problem)
        self._ready = True

    def open(self, plan: Plan) -> None:
        """Begins a run's record; again is the same."""
        row = {"run_id": plan.run_id, "playbook": plan.playbook.name, "started_at": plan.started_at.isoformat(), "plan": plan.model_dump_json()}
        begins = chain.first(row["plan"])
        with _translated(), self._begin() as connection:
            insert = self._insert_once(runs, ["run_id"]).values(**row, length=0, head=begins, sampled=0, sample_head=begins)
            connection.execute(insert)

    def append(self, new: Iterable[Event]) -> None:
        """Adds events at the end of their runs' chains; one that is there already is passed over.

        Raises:
            NotOpened: one of the runs is not in the store yet.
        """
        with _translated(), self._begin() as connection:
            for event in new:
                self._append(connection, event)

    def _append(self, connection: sa.Connection, event: Event) -> None:
        found = connection.execute(sa.select(runs.c.length, runs.c.head).where(runs.c.run_id == event.run_id).with_for_update()).one_or_none()
        if found is None:
            raise NotOpened(f"the run {event.run_id} is not in the store yet")
        if connection.scalar(sa.select(events.c.seq).where(events.c.id == event.id)) is not None:
            return
        text = event.model_dump_json()
        link = chain.link(found.head, found.length, text)
        connection.execute(sa.insert(events).values(run_id=event.run_id, seq=found.length, id=event.id, event=text, hash=link))
        connection.execute(sa.update(runs).where(runs.c.run_id == event.run_id).values(length=found.length + 1, head=link))

    def add_samples(self, run_id: str, new: Sequence[Sample]) -> None:
        """Adds samples at the end of the run's chain of them; one that is there already stays as it was.

        Raises:
            NotOpened: the run is not in the store yet.
        """
        with _translated(), self._begin() as connection:
            run = connection.execute(sa.select(runs.c.sampled, runs.c.sample_head).where(runs.c.run_id == run_id).with_for_update()).one_or_none()
            if run is None:
                raise NotOpened(f"the run {run_id} is not in the store yet")
            seq, head = run.sampled, run.sample_head
            moments = sorted({_iso(each.at) for each in new})
            known, rows = set[tuple[str, str]](), []
            for start in range(0, len(moments), _AT_ONCE):
                at = samples.c.at.in_(moments[start : start + _AT_ONCE])
                found = connection.execute(sa.select(samples.c.at, samples.c.probe).where(samples.c.run_id == run_id, at))
                known |= {(row.at, row.probe) for row in found}
            for row in map(_row, new):
                if (row["at"], row["probe"]) not in known:
                    known.add((row["at"], row["probe"]))
                    head = chain.link(head, seq, _told(**row))
                    rows.append({"run_id": run_id, **row, "seq": seq, "hash": head})
                    seq += 1
            if rows:
                connection.execute(sa.insert(samples), rows)
                connection.execute(sa.update(runs).where(runs.c.run_id == run_id).values(sampled=seq, sample_head=head))

    def rehearsed(self, playbook: str, rehearsed_as: str) -> datetime | None:
        """When a playbook was rehearsed last, as it is now, and passed."""
        with _translated(), self._begin() as connection:
            asked = sa.select(runs.c.run_id, runs.c.started_at, runs.c.plan).where(runs.c.playbook == playbook)
            for row in connection.execute(asked.order_by(runs.c.started_at.desc()).limit(_MOST_REHEARSALS)):
                plan = json.loads(row.plan)
                same = plan.get("kind") == RunKind.REHEARSAL and plan.get("rehearsed_as") == rehearsed_as
                if same and self._last(connection, row.run_id) == Outcome.PASSED:
                    return datetime.fromisoformat(row.started_at)
        return None

    def show_presence(self, run_id: str, name: str, at: datetime) -> None:
        """Says that somebody follows a run now."""
        with _translated(), self._begin() as connection:
            connection.execute(self._insert_once(present, ["run_id", "name"]).values(run_id=run_id, name=name, at=_iso(at)))
            connection.execute(sa.update(present).where(present.c.run_id == run_id, present.c.name == name).values(at=_iso(at)))

    def presence(self, run_id: str) -> dict[str, datetime]:
        """Who has followed a run, and when each was there last, by their own clock."""
        with _translated(), self._begin() as connection:
            found = connection.execute(sa.select(present.c.name, present.c.at).where(present.c.run_id == run_id))
            return {row.name: datetime.fromisoformat(row.at) for row in found}

    def _insert_once(self, table: sa.Table, keys: list[str]) -> Any:
        insert = postgresql.insert if self._engine.dialect.name == "postgresql" else sqlite.insert
        return insert(table).on_conflict_do_nothing(index_elements=keys)

    def read(self, run_id: str) -> RunRecord:
        """The whole record of a run, with its chain verified.

        Raises:
            NotFound: there is no such run.
        """
        with _translated(), self._begin(snapshot=True) as connection:
            run = connection.execute(sa.select(runs).where(runs.c.run_id == run_id)).one_or_none()
            if run is None:
                raise NotFound(f"there is no run {run_id!r}; `gameday runs` lists them")
            found = connection.execute(sa.select(events).where(events.c.run_id == run_id).order_by(events.c.seq)).all()
            readings = connection.execute(sa.select(samples).where(samples.c.run_id == run_id).order_by(samples.c.seq)).all()
        told = ((row.seq, _told(row.at, row.probe, row.value, row.unknown, row.took_ms), row.hash) for row in readings)
        broken = [
            chain.broken("event", run.plan, ((row.seq, row.event, row.hash) for row in found), run.length, run.head),
            chain.broken("sample", run.plan, told, run.sampled, run.sample_head),
        ]
        damage = next(filter(None, broken), "")
        heard = [_event(row.event) for row in found]
        unread = sum(event is None for event in heard)
        return RunRecord(
            plan=Plan.model_validate_json(run.plan),
            events=tuple(event for event in heard if event is not None),
            samples=tuple(_sample(row) for row in sorted(readings, key=lambda row: (row.at, row.probe))),
            chain=damage or f"record verified (chains of {_counted(len(found), 'event')} and {_counted(len(readings), 'sample')})",
            missing=tuple(filter(None, (damage, f"{_counted(unread, 'event')} that cannot be read any more" if unread else ""))),
        )

    def events_after(self, run_id: str, seq: int) -> list[tuple[int, Event]]:
        """Events from this sequence number on, for following a run live."""
        with _translated(), self._begin() as connection:
            query = sa.select(events.c.seq, events.c.event).where(events.c.run_id == run_id, events.c.seq >= seq).order_by(events.c.seq)
            return [(row.seq, Event.model_validate_json(row.event)) for row in connection.execute(query)]

    def told(self, run_id: str, kinds: Iterable[EventKind]) -> tuple[Event, ...]:
        """The events of these kinds, in order; the others are not even read, so that it costs little in a long run."""
        wanted = sa.or_(*(events.c.event.contains(f'"kind":"{kind}"', autoescape=True) for kind in kinds))
        with _translated(), self._begin() as connection:
            found = connection.scalars(sa.select(events.c.event).where(events.c.run_id == run_id, wanted).order_by(events.c.seq)).all()
        return tuple(event for text in found if (event := _event(text)) is not None)

    def earlier(self, plan: Plan) -> tuple[RunRecord, ...]:
        """What people had predicted in the runs of this playbook before this one, the oldest first; neither their samples nor the rest is read."""
        asked = sa.select(runs.c.run_id, runs.c.plan).where(runs.c.playbook == plan.playbook.name, runs.c.started_at < _iso(plan.started_at))
        with _translated(), self._begin() as connection:
            found = connection.execute(asked.order_by(runs.c.started_at.desc()).limit(_MOST_EARLIER)).all()
        plans = [read for row in reversed(found) if (read := Plan.model_validate_json(row.plan)).kind is RunKind.DAY]
        return tuple(RunRecord(each, self.told(each.run_id, _PREDICTING), ()) for each in plans)

    def samples_after(self, run_id: str, at: datetime | None) -> list[Sample]:
        """Samples later than this moment."""
        with _translated(), self._begin() as connection:
            query = sa.select(samples).where(samples.c.run_id == run_id).order_by(samples.c.at, samples.c.probe)
            query = query.where(samples.c.at > _iso(at)) if at is not None else query
            return [_sample(row) for row in connection.execute(query)]

    def plan(self, run_id: str) -> Plan | None:
        with _translated(), self._begin() as connection:
            text = connection.scalar(sa.select(runs.c.plan).where(runs.c.run_id == run_id))
        return Plan.model_validate_json(text) if text is not None else None

    def begun_since(self, at: datetime) -> Sequence[str]:
        """The ids of the runs that were begun since then, the oldest first."""
        with _translated(), self._begin() as connection:
            asked = sa.select(runs.c.run_id).where(runs.c.started_at >= _iso(at)).order_by(runs.c.started_at)
            return [str(run_id) for run_id in connection.scalars(asked)]

    def list(self, most: int = 50) -> list[RunLine]:
        """The newest runs first, each with its outcome, None while it has none."""
        with _translated(), self._begin() as connection:
            found = connection.execute(
                sa.select(runs.c.run_id, runs.c.playbook, runs.c.started_at).order_by(runs.c.started_at.desc()).limit(most)
            ).all()
            last = {row.run_id: self._last(connection, row.run_id) for row in found}
        return [RunLine(row.run_id, row.playbook, datetime.fromisoformat(row.started_at), last[row.run_id]) for row in found]

    def outcome(self, run_id: str) -> str | None:
        """How a run ended; None while it has not, or when it is not known."""
        with _translated(), self._begin() as connection:
            return self._last(connection, run_id)

    def _last(self, connection: sa.Connection, run_id: str) -> str | None:
        """Its outcome, which need not be its last event: what was dirty may be proven gone later."""
        ends = events.c.event.contains(f'"kind":"{EventKind.RUN_ENDED}"', autoescape=True)
        text = connection.scalar(sa.select(events.c.event).where(events.c.run_id == run_id, ends).order_by(events.c.seq.desc()).limit(1))
        return json.loads(text)["data"].get("outcome") if text else None


def _event(text: str) -> Event | None:
    """An event as it was written; None when that is no event any more: the others can still be told."""
    try:
        return Event.model_validate_json(text)
    except ValidationError:
        return None


def _engine(url: str) -> sa.Engine:
    if not url.startswith("sqlite"):
        try:
            return sa.create_engine(
                url, pool_pre_ping=True, connect_args={"connect_timeout": 3, "client_encoding": "utf8"} if url.startswith("postgresql") else {}
            )
        except (ImportError, sa.exc.ArgumentError) as error:
            raise BadInput(
                f"the store's URL cannot be used ({error}); expected postgresql+psycopg://USER@HOST/DATABASE, and gameday[postgres]"
            ) from None
    engine = sa.create_engine(url, connect_args={"timeout": 3, "check_same_thread": False})

    @sa.event.listens_for(engine, "connect")
    def _on_connect(connection: Any, record: object) -> None:  # noqa: ARG001  # the listener's signature
        connection.isolation_level = None  # transactions are begun below, as the pysqlite driver's own begin comes too late
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            connection.execute(f"PRAGMA {pragma}")

    @sa.event.listens_for(engine, "begin")
    def _on_begin(connection: sa.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


class _translated:  # reads as the statement it is
    """Turns the database's errors into Unavailable."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (sa.exc.SQLAlchemyError, OSError)):
            first = str(getattr(error, "orig", None) or error).splitlines()[0]
            raise Unavailable(f"the run store does not answer ({first})") from None


def _iso(at: datetime) -> str:
    """UTC with microseconds always, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"


def _row(each: Sample) -> dict[str, Any]:
    unknown = each.unknown and each.unknown.replace("\0", "\N{REPLACEMENT CHARACTER}")  # no text of PostgreSQL holds NUL
    value = None if each.value is None else each.value + 0.0  # SQLite gives -0.0 back as 0.0
    return {"at": _iso(each.at), "probe": each.probe, "value": value, "unknown": unknown, "took_ms": each.took_ms + 0.0}


def _told(at: str, probe: str, value: float | None, unknown: str | None, took_ms: float) -> str:
    """A sample as its hash covers it."""
    return json.dumps([at, probe, None if value is None else float(value), unknown, float(took_ms)])


def _sample(row: Any) -> Sample:
    return Sample(probe=row.probe, at=datetime.fromisoformat(row.at), value=row.value, unknown=row.unknown, took_ms=row.took_ms)
