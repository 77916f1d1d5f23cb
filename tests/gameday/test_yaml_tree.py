"""YAML that a playbook has no need for, YAML that is none, and files that hold no playbook: one message each, and quickly."""

from __future__ import annotations

import time

import pytest

from gameday.catalogue import Catalogue
from gameday.loading import loads
from tests.gameday.mistakes import Placed, Problems, changed, placed

TRICKS: dict[str, tuple[str, str, Placed]] = {
    "an anchor": (
        "name: small",
        "name: &a small",
        (1, 7, "name", "anchors and aliases are not allowed", "the value written out, a variable, or quotes around text that begins with * or &"),
    ),
    "an alias": (
        "name: small",
        "name: *a",
        (1, 7, "name", "anchors and aliases are not allowed", "the value written out, a variable, or quotes around text that begins with * or &"),
    ),
    "a tag": (
        "name: small",
        "name: !!python/object/apply:os.system [id]",
        (
            1,
            7,
            "name",
            "the tag 'tag:yaml.org,2002:python/object/apply:os.system' is not allowed",
            "plain data, or quotes around text that begins with !",
        ),
    ),
    "a tag of its own": (
        "name: small",
        "name: !x small",
        (1, 7, "name", "the tag '!x' is not allowed", "plain data, or quotes around text that begins with !"),
    ),
    "a tag on a key": (
        "name: small",
        "!x name: small",
        (1, 1, "", "the tag '!x' is not allowed", "plain data, or quotes around text that begins with !"),
    ),
    "a merge key": ("name: small", "<<: {environment: x}\nname: small", (1, 1, "<<", "merge keys are not allowed", "the keys written out")),
    "a key twice": ("name: small", "name: small\nname: other", (2, 1, "name", "the key 'name' is here twice", "each key once")),
    "a key twice further down": (
        "{delay: 100ms}",
        "{delay: 100ms, delay: 1s}",
        (6, 69, "faults[0].with.delay", "the key 'delay' is here twice", "each key once"),
    ),
    "a list as a key": ("name: small", "name: small\n[a, b]: c", (2, 1, "", "a key must be plain text", "a name, such as 'objective'")),
    "a second document": ("name: small", "name: small\n---\nname: x", (2, 1, "", "a second document begins here", "one playbook in a file")),
    "too many levels": ("name: small", "name: " + "[" * 21 + "]" * 21, (1, 26, "", "nested deeper than 20 levels", "a flatter playbook")),
    "a hundred thousand brackets": ("name: small", "name: " + "[" * 100_000, (1, 26, "", "nested deeper than 20 levels", "a flatter playbook")),
    "a hundred thousand braces": ("name: small", "name: " + "{a: " * 50_000, (1, 83, "", "nested deeper than 20 levels", "a flatter playbook")),
    "a hundred thousand dashes": ("name: small", "name:\n" + "- " * 100_000, (2, 39, "", "nested deeper than 20 levels", "a flatter playbook")),
}

SLIPS: dict[str, tuple[str, str, Placed]] = {
    "a tab": ("name: small", "name: small\n\tx: 1", (2, 1, "", "not valid YAML: a tab does not fit here", "spaces for indentation")),
    "a colon in text": (
        "Does it hold?",
        "Does: it hold?",
        (2, 16, "", "not valid YAML: a ':' does not fit here", "quotes around text that contains ': ', and one indentation for the keys of a level"),
    ),
    "a quote that is never closed": (
        "expect: ['errors < 1 %']",
        "expect: ['errors < 1 %]",
        (7, 10, "", "not valid YAML: a quote is opened and never closed", "the closing quote"),
    ),
    "a list that is never closed": (
        "['errors > 5 %']",
        "['errors > 5 %'",
        (4, 13, "", "not valid YAML: a ',' or ']' is missing in a list", "[one, two], with quotes around text that contains a comma or a quote"),
    ),
    "a mapping that is never closed": (
        "{delay: 100ms}}]",
        "{delay: 100ms}",
        (
            6,
            10,
            "",
            "not valid YAML: a ',' or '}' is missing in a mapping",
            "{key: value, key: value}, with quotes around text that contains a comma or a quote",
        ),
    ),
    "a key too far right": (
        "name: small\n",
        "name: small\n  environment: x\n",
        (2, 14, "", "not valid YAML: a ':' does not fit here", "quotes around text that contains ': ', and one indentation for the keys of a level"),
    ),
    "a key further right than those above": (
        "expect: ['errors < 1 %']",
        "expect: ['errors < 1 %']\n sealed: true",
        (
            8,
            2,
            "",
            "not valid YAML: the indentation does not fit the lines above",
            "the keys of a level below each other, the items of a list likewise",
        ),
    ),
    "a key without its colon": (
        "name: small",
        "name: small\nenvironment\nsealed: true",
        (2, 1, "", "not valid YAML: a key without its ':'", "'key: value'"),
    ),
    "text that begins with an at sign": (
        "Does it hold?",
        "@ada asks",
        (2, 12, "", "not valid YAML: text that begins with this character needs quotes", "'…' around the text"),
    ),
    "half a character": (
        "Does it hold?",
        '"a\\ud800b"',
        (2, 12, "", "this text is not valid Unicode", "the character itself in place of its escape"),
    ),
    "a NUL": ("Does it hold?", "a\x00b", (2, 13, "", "the character U+0000 is not allowed", "plain text, saved as UTF-8")),
}


@pytest.mark.parametrize(("old", "new", "expected"), TRICKS.values(), ids=TRICKS)
def test_yaml_that_a_playbook_has_no_need_for_is_refused_quickly(old: str, new: str, expected: Placed, small: str, problems: Problems) -> None:
    began = time.process_time()
    assert placed(problems(changed(small, (old, new))))[0] == expected
    assert time.process_time() - began < 5


def test_all_of_it_is_told_at_once(small: str, problems: Problems) -> None:
    """What is not plain data, wherever it is, and the keys that are here twice; the fields are looked at once that is mended."""
    text = changed(small, ("name: small", "name: &a small\nname: other\nenvironment: *a\n*a : x"), ("objective: ", "objective: !x "))
    assert [problem.message for problem in problems(text)] == [
        "anchors and aliases are not allowed",
        "the key 'name' is here twice",
        "anchors and aliases are not allowed",
        "anchors and aliases are not allowed",
        "the tag '!x' is not allowed",
    ]


@pytest.mark.parametrize(("old", "new", "expected"), SLIPS.values(), ids=SLIPS)
def test_what_is_not_valid_is_reported_where_it_is(old: str, new: str, expected: Placed, small: str, problems: Problems) -> None:
    assert placed(problems(changed(small, (old, new))))[0] == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", (1, 1, "", "the file is empty", "a playbook, which begins with 'name: …'")),
        (b"# nothing yet\n", (1, 1, "", "the file is empty", "a playbook, which begins with 'name: …'")),
        (b"- a\n- b\n", (1, 1, "", "this is not a playbook", "keys with their values, beginning with 'name: …'")),
        (b"just text", (1, 1, "", "this is not a playbook", "keys with their values, beginning with 'name: …'")),
        ("name: x\n".encode("utf-16"), (1, 1, "", "the file is not UTF-8", "save it as UTF-8")),
        ("name: x\n".encode("utf-16-le"), (1, 2, "", "the character U+0000 is not allowed", "plain text, saved as UTF-8")),
        ("name: x\nobjective: größer\n".encode("latin-1"), (2, 14, "", "the file is not UTF-8", "save it as UTF-8")),
        (b"a: 1\n# " + b"x" * 256 * 1024, (1, 1, "", "the file is larger than 256 KiB", "a smaller playbook")),
    ],
    ids=["empty", "a comment", "a list", "text", "UTF-16", "UTF-16 without its mark", "Latin-1", "too large"],
)
def test_a_file_that_is_no_playbook_is_refused(raw: bytes, expected: Placed, problems: Problems) -> None:
    assert placed(problems(raw)) == [expected]


def test_a_byte_order_mark_is_passed_over(small: str, catalogue: Catalogue) -> None:
    loaded = loads(b"\xef\xbb\xbf" + small.encode(), catalogue)
    assert loaded.text == small


def test_a_file_of_just_the_allowed_size_is_read(small: str, catalogue: Catalogue) -> None:
    padded = (small + "# ").encode()
    assert loads(padded + b"x" * (256 * 1024 - len(padded)), catalogue).playbook.name == "small"


@pytest.mark.parametrize(
    ("written", "read"),
    [("no", "no"), ("14:00", "14:00"), ("2026-06-18", "2026-06-18"), ("1_000", "1_000"), ("0x1F", "0x1F"), (".nan", ".nan"), ("'1'", "1")],
)
def test_what_only_looks_like_another_type_stays_text(written: str, read: str, small: str, catalogue: Catalogue) -> None:
    assert loads(changed(small, ("Does it hold?", written)).encode(), catalogue).playbook.objective == read
