"""The documentation stays true: its examples load, its tables have every key and default, its messages are the real ones."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from gameday import limits, playbook
from gameday import rooms as rooms_of_slack
from gameday.errors import LanguageError
from gameday.language import KEYWORDS, Expectation, Guardrail, Tolerance
from gameday.loading import loads
from gameday.units import UNITS, format_duration

DOCS = Path(__file__).parents[2] / "docs"
PLAYBOOK, LANGUAGE = (DOCS / name for name in ("playbook.md", "language.md"))

SECTIONS: dict[str, type[BaseModel]] = {
    "The day": playbook.Playbook,
    "`times`": playbook.Times,
    "`team`": playbook.Team,
    "A person": playbook.Person,
    "`checklist`": playbook.ChecklistItem,
    "`variables`": playbook.Variable,
    "`alerts`": playbook.Alerts,
    "`alerts.from`": playbook.AlertSource,
    "`sampling`": limits.Sampling,
    "`gates`": limits.Gates,
    "A gate": limits.Gate,
    "`rehearsal`": limits.Rehearsal,
    "`presence`": limits.Presence,
    "`rooms`": rooms_of_slack.Rooms,
    "`blast_radius`": limits.BlastRadius,
    "A scenario": playbook.Scenario,
    "A fault": playbook.Fault,
    "`on`": playbook.Target,
    "A card": playbook.Card,
    "`afterwards`": playbook.Afterwards,
}


def rows(section: str) -> dict[str, str]:
    """Key and default of each row of a section's table."""
    text = PLAYBOOK.read_text().split(f"\n### {section}\n")[1].split("\n## ")[0].split("\n### ")[0]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| `")]
    return {cell[0].strip("`"): cell[2] for cell in cells}


def default(field: FieldInfo) -> str | None:
    """How the table must write a default; None where it refers to another section."""
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None:
        return "–"
    if value == () or value == {}:
        return "none"
    if isinstance(value, playbook.Target):
        return "`{host: local}`"
    if isinstance(value, BaseModel):
        return None
    if isinstance(value, timedelta):
        return f"`{format_duration(value)}`"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


@pytest.mark.parametrize(("section", "model"), SECTIONS.items())
def test_the_reference_has_every_key_with_its_default(section: str, model: type[BaseModel]) -> None:
    expected = {field.alias or name: default(field) for name, field in model.model_fields.items()}
    found = rows(section)
    assert list(found) == list(expected)
    for key, value in expected.items():
        assert found[key] == value if value is not None else found[key].startswith("see `"), key


def test_every_part_of_a_playbook_is_in_the_reference() -> None:
    rooms = (playbook, limits, rooms_of_slack)
    names = {room.__name__ for room in rooms}
    parts = {
        each for room in rooms for each in vars(room).values() if isinstance(each, type) and issubclass(each, BaseModel) and each.__module__ in names
    }
    assert parts - {playbook.Address} == set(SECTIONS.values())  # a URL alone needs no section


def examples() -> list[str]:
    return re.findall(r"```yaml\n(.*?)```", PLAYBOOK.read_text(), re.DOTALL)


@pytest.mark.parametrize("text", examples(), ids=["the complete example", "a day of one scenario"])
def test_the_examples_load_without_a_warning(text: str) -> None:
    kinds = pytest.importorskip("activities.kinds")
    assert loads(text.encode(), kinds.catalogue()).warnings == ()


def test_the_messages_of_the_language_page_are_the_real_ones() -> None:
    table = re.findall(r"^\| `([^`]+)` \| (.+; expected .+) \|$", LANGUAGE.read_text(), re.MULTILINE)
    assert len(table) == 7
    for phrase, says in table:
        kind = Expectation if "within" in phrase else Guardrail if " in " in phrase else Tolerance
        with pytest.raises(LanguageError) as caught:
            kind.parse(phrase)
        assert str(caught.value) == says


def test_the_language_page_lists_the_words_and_units_there_are() -> None:
    text = LANGUAGE.read_text()
    words = re.search(r"cannot name a probe: `([^`]+)`", text)
    assert words is not None and words[1].split() == sorted(KEYWORDS)
    unit = re.search(r"^    unit +=(.+);$", text, re.MULTILINE)
    assert unit is not None and set(re.findall(r'"([^"]+)"', unit[1])) == set(UNITS) - {"ratio", "count"}


def test_every_example_phrase_of_the_language_page_parses() -> None:
    text = LANGUAGE.read_text()
    for phrase in re.findall(r"^\| `([^`]+)` \| (?:one sample|at least|every sample|there has|the counter)", text, re.MULTILINE):
        assert Guardrail.parse(phrase)
    for phrase in re.findall(r"^\| (?:a tolerance, )?`([^`]+)` \| (?:\*\*throughout|the alert|the \w+ clock)", text, re.MULTILINE):
        assert Expectation.parse(phrase)
