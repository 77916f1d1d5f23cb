"""The catalogue: defaults as a playbook writes them, what each parameter may be, and what it is for."""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import Annotated, ClassVar, Literal

import pytest
from pydantic import Field

from gameday.catalogue import InjectorParams, ProbeParams
from gameday.cli.catalog import Parameter, _page, _parameters, _probe
from gameday.model import Duration, Line


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Params(InjectorParams):
    """`amount`: how much of it. `colour` (of the thing): which one."""

    amount: Annotated[int, Field(ge=1, le=9)]
    delay: Duration = timedelta(seconds=10)
    """How much later."""
    colour: Colour = Colour.RED
    kind: Literal["one", "two"] = "one"
    share: Annotated[float, Field(ge=0)] | None = None
    loud: bool = False
    names: tuple[Line, ...] = ()


FOUND = {parameter.name: parameter for parameter in _parameters(Params)}


@pytest.mark.parametrize(
    ("name", "required", "default", "takes", "about"),
    [
        ("amount", True, None, "a whole number from 1 to 9", "How much of it."),
        ("delay", False, "10s", "a duration", "How much later."),
        ("colour", False, "red", "red | blue", "Which one."),
        ("kind", False, "one", "one | two", ""),
        ("share", False, None, "a number, 0 or more", ""),
        ("loud", False, "false", "true or false", ""),
        ("names", False, None, "a list", ""),
    ],
)
def test_a_parameter_reads_as_a_playbook_writes_it(name: str, required: bool, default: str | None, takes: str, about: str) -> None:
    assert FOUND[name] == Parameter(name, required, default, takes, about)


def test_what_must_be_written_comes_first() -> None:
    assert next(iter(FOUND)) == "amount"


def test_a_kind_has_a_page_with_its_parameters_below_each_other() -> None:
    class Probe:
        """Reads it. Source: somewhere."""

        kind: ClassVar[str] = "reading"

        class Params(ProbeParams):
            url: Line
            """Where."""

    lines = list(_page(_probe(Probe), in_full=False))
    assert lines[:4] == [
        "\n  reading",
        "    Reads it.",
        "      url   required.  Where.",
        "      unit  ratio | % | ms | s | m | h | B | KiB | MiB | GiB | /s | count, optional.  The unit of what is read;",
    ]
