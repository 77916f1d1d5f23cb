"""Whatever people write, it stays text: the structure of the document is that of harmless text, and the eye sees what was written."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

import reports
from reports.escape import escape, fenced, table
from reports.templating import environment

HOSTILE = (
    "# heading",
    "### closing ###",
    "- item",
    "-",
    "---",
    "+ item",
    "* item",
    "1. item",
    "12) item",
    "> quote",
    "===",
    ":-- | --",
    "-|-",
    "```sh",
    "~~~",
    "a | b \\| c \\\\| d",
    "ends with \\",
    "![x](http://evil/x.png)",
    "[x](javascript:alert(1))",
    "[x]: http://evil",
    "<script>alert(1)</script>",
    "<b",
    "ends with <",
    "&lt;b&gt; &#60; &amp",
    "*a* **b** _c_ __d__ a_b_c _",
    "a_ _b __x__y",
    "`code` ``",
    "~~gone~~ ~x~",
    "https://evil.example www.evil.example a@evil.example <http://evil>",
    "line\nbreak\r\n\n# and heading",
    "    indented",
    "\ttab",
    "a  \nhard break",
    "[ ] box",
    "$x$",
    "\\# \\* \\a C:\\temp",
    "right\u202eleft \x00 \x1b[31m",
)
PLACES = {
    "paragraph": "before\n\n{{ text }}\n\nafter",
    "second line": "before\n{{ text }}\nafter",
    "in a sentence": "“{{ text }}” was said; {{ text }}; and then {{ text }}: end",
    "list item": "- {{ text }}\n- other",
    "numbered item": "1. {{ text }}\n2. other",
    "heading": "## {{ text }}\n\nafter",
    "quote": "> {{ text }}\n> {{ text }}",
    "emphasis": "before\n\n*{{ text }}*\n\nafter",
    "first cell": "{{ table(['one', 'two'], [[text, 'x'], ['y', 'z']]) }}",
    "last cell": "{{ table(['one', 'two'], [['x', text], ['y', text]]) }}",
    "header": "{{ table([text, text], [['x', 'y']]) }}",
    "picture": "![{{ text }}](errors.svg)",
}

texts = st.one_of(
    st.text(max_size=40),
    st.lists(st.one_of(st.sampled_from(HOSTILE), st.sampled_from(list("\\`*_{}[]<>()#+-.!|&;:~=@$ \n\tab1"))), max_size=12).map("".join),
).filter(lambda text: text.split() != [])


def shown(text: str) -> str:
    """What a reader should see of a text: white space collapsed, and a sign for what cannot be seen."""
    return re.sub(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]", "\ufffd", " ".join(text.split()))


def stays_text(read: Callable[[str], Any], place: str, text: str) -> None:
    template = environment().from_string(PLACES[place])
    mine, harmless = read(template.render(text=text)), read(template.render(text="harmless"))
    assert mine.tags == harmless.tags
    assert mine.text == harmless.text.replace("harmless", shown(text))


@pytest.mark.parametrize("place", PLACES)
@given(text=texts)
@example(text="".join(HOSTILE))
def test_any_text_stays_text_wherever_a_template_puts_it(read: Callable[[str], Any], place: str, text: str) -> None:
    stays_text(read, place, text)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(read: Callable[[str], Any], place: str, text: str) -> None:
    stays_text(read, place, text)


@pytest.mark.parametrize(
    "text",
    [
        "errors < 1 %",
        "latency_p99 < 1.5 x baseline",
        "R&D said: it's fine (really)!",
        "-5 ms, +3 s",
        "1.5 s",
        "14:30:05",
        "C:\\temp",
        "at 100 %, “quoted”",
        "a > b",
    ],
)
def test_ordinary_text_is_left_readable(text: str) -> None:
    assert escape(text) == text


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("see https://evil.example", r"see https\://evil.example"),
        ("www.evil.example", r"www\.evil.example"),
        ("ada@evil.example", r"ada\@evil.example"),
        ("costs $5", r"costs \$5"),
        (":-", r"\:-"),
    ],
)
def test_what_only_github_makes_markup_of_is_escaped_too(text: str, escaped: str) -> None:
    assert escape(text) == escaped


@given(text=st.text(alphabet=st.sampled_from(list("`~ab \n\t")), max_size=60))
def test_nothing_gets_out_of_a_fence(text: str) -> None:
    page = MarkdownIt("commonmark").parse(f"before\n\n{fenced(text, 'yaml')!s}\n\nafter")
    assert [token.type for token in page if token.level == 0] == ["paragraph_open", "paragraph_close", "fence", "paragraph_open", "paragraph_close"]
    written = [line.replace("\t", "    ").rstrip() for line in text.removesuffix("\n").split("\n")]
    assert page[3].content.split("\n")[:-1] == written


def test_a_fence_is_longer_than_any_run_of_backticks_in_it() -> None:
    assert fenced("a ```` b", "yaml") == "`````yaml\na ```` b\n`````"


def test_a_table_is_padded_so_that_it_reads_well_raw() -> None:
    assert table(["what", "seen"], [["errors", "1 %"], ["日本", "2 %"]]) == (
        "| what   | seen |\n| ------ | ---- |\n| errors | 1 % |\n| 日本   | 2 % |"
    )


def test_no_template_goes_round_the_escaping() -> None:
    templates = list((Path(reports.__file__).parent / "templates").iterdir())
    assert len(templates) == 4
    for template in templates:
        assert not re.search(r"\|\s*safe|~|\|\s*join|Markup|autoescape", template.read_text()), template.name
