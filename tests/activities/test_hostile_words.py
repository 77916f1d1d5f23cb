"""Whatever is written in a parameter or a target's name reaches no shell, nft or SQL as anything but itself: it is refused, or carried and undone."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from activities import kinds
from activities.operators import Operators
from activities.steps.step import _PRIMITIVES, from_json
from gameday.errors import BadInput, GamedayError
from gameday.playbook import Target
from tests.rigs.lab import Rig, rig, rigs

RAN = "/tmp/gameday-hostile-ran"
HOSTILE = (
    f"$(touch {RAN})",
    f"`touch {RAN}`",
    f"x; touch {RAN}",
    f"x && touch {RAN}",
    f"x | touch {RAN}",
    f"x\ntouch {RAN}",
    f"x\r\ntouch {RAN}",
    f"x\u2028touch {RAN}\u2029",
    f"x\x00touch {RAN}",
    "-rf",
    "--help",
    "-f /etc/passwd",
    "@/etc/passwd",
    "../../../../etc/passwd",
    "/etc/../etc/passwd",
    "*",
    "~root",
    "${HOME}",
    "{name}",
    "{0.__class__}",
    "%s%n",
    "'",
    '"',
    "\\",
    "' OR '1'='1",
    "orders; DROP TABLE orders",
    'orders" ; DROP TABLE orders; --',
    "orders/**/",
    "10.0.0.1 } ; flush ruleset ; add element inet x y { 10.0.0.2",
    "10.0.0.1; flush ruleset",
    "10.0.0.1 timeout 1s",
    "gameday_aaaaaaaa; delete table inet theirs",
    "net:[1]; id",
    'up{job="x"} or vector(1)',
    '"} or on() vector(1) #',
    "503&fault.http.abort.http_status=0",
    "x HTTP/1.1\r\nHost: evil",
    "\u202eevil",
    "\u0661\u0662",
    "ａ；ｂ",
    "a" * 100_000,
    "",
    " ",
)


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where there are texts, in whatever is nested."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from places(each, (*path, key))
    elif isinstance(value, (list, tuple)):
        for index, each in enumerate(value):
            yield from places(each, (*path, index))


def replaced(value: Any, path: tuple[Any, ...], text: str) -> Any:
    """A copy with this text in that place."""
    if not path:
        return text
    made = list(value) if isinstance(value, tuple) else copy.copy(value)
    made[path[0]] = replaced(made[path[0]], path[1:], text)
    return made


def ordered(target: Rig, fault_id: str, params: dict[str, Any]) -> dict[str, Any]:
    target.params = params  # type: ignore[misc]  # this rig's own
    return target.order(fault_id)


def given(target: Rig) -> dict[str, Any]:
    """Parameters with a text wherever the kind takes one: those of the rig, and every other field of its model."""
    fields = kinds.injectors()[target.kind].Params.model_fields
    return {**{field.alias or name: "" for name, field in fields.items()}, **target.params}


@pytest.fixture(params=rigs().values(), ids=list(rigs()))
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rig]:
    Path(RAN).unlink(missing_ok=True)
    with rig(request.param, tmp_path / "rig") as built:
        yield built
    assert not Path(RAN).exists(), "something has run it"


async def test_hostile_words_are_refused_or_carried_as_data_and_undone(target: Rig, operators: Operators) -> None:
    """In each parameter in turn; what no model refuses is put on for real, by the operations of production, and taken off again."""
    before, usual = target.look(), target.params
    carried = []
    for path in places(given(target)):
        for words in HOSTILE:
            params = replaced(usual if path[0] in usual else {**usual, path[0]: ""}, path, words)
            try:
                ordered(target, "f-hostile", params)
            except (ValidationError, GamedayError):
                continue
            carried.append((path, params))
    for number, (path, params) in enumerate(carried):
        try:
            await operators.perform(ordered(target, f"f-hostile-{number}", params))
        except GamedayError:
            pass
        else:
            (status,) = await operators.revert({f"f-hostile-{number}": "the test is over"})
            assert status["outcome"] in ("reverted", "spent"), (path, status)
        target.renew()
        assert target.look() == before, path


def test_hostile_names_of_a_target_are_refused_or_name_nothing(target: Rig) -> None:
    from activities.targets import resolve

    written = target.on().model_dump(exclude_none=True)
    for path in places(written):
        for words in HOSTILE:
            try:
                named = Target.model_validate(replaced(written, path, words))
                found = resolve(named, "local", target.settings())
            except (ValidationError, GamedayError):
                continue
            assert path == ("host",) or found.thing, "only what is there is ever found"
            assert path == ("host",), (path, words)


def test_a_step_out_of_a_journal_takes_no_hostile_word_where_a_program_would_read_it(target: Rig) -> None:
    """What only says where something is, or is a word of the operator's own command, may be any text; all else has a shape."""
    free = {("server",), ("url_file",), ("name",), ("found_by", 1)}
    words_of_commands = {"do", "back", "look", "restart"}
    for step in target.order("f-step")["steps"]:
        assert step["primitive"] in _PRIMITIVES
        for path in places(step):
            if path in free or path[0] in words_of_commands:
                continue
            for words in HOSTILE:
                changed = replaced(step, path, words)
                if path == ("born",) and words.count("/") >= 2:
                    continue  # an identity that no process has
                if path[0] == "settings" and re.fullmatch(r"[A-Za-z0-9_.-]{1,200}", words):
                    continue  # of Envoy, with nothing in it that an address would read
                with pytest.raises((BadInput, ValueError)):
                    from_json(changed)
