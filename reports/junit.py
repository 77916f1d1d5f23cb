"""A run as JUnit XML, for whoever builds with it: a suite for each scenario, a case for each expectation.

Refuted is a failure; what could not be judged, or was not begun, is skipped, with its reason; a fault not proven
gone, an abort, or an error of the run, is an error.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree as ET

from gameday.by_hand import at
from gameday.event import EventKind
from gameday.record import RunRecord
from gameday.verdicts import Judgement, Word
from reports.proofs import proofs
from reports.sealed import seen
from reports.story import Story
from reports.words import listed

_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold, escaped or not. Source: XML 1.0, section 2.2."""

_ELEMENTS = {Word.REFUTED: "failure", Word.UNKNOWN: "skipped", Word.NOT_REACHED: "skipped"}
_COUNTED = {"failures": "failure", "errors": "error", "skipped": "skipped"}


def junit(record: RunRecord, sealed_open: bool = False) -> str:
    """The document, with its declaration (UTF-8). Of a sealed scenario that is not revealed yet it has no case."""
    record = seen(record, sealed_open).record
    root = ET.Element("testsuites", {"name": _clean(record.plan.playbook.name)})
    for index in range(len(record.plan.playbook.scenarios)):
        root.append(_suite(record, index))
    whole = list(_errors(record, None))
    if whole:
        suite = ET.SubElement(root, "testsuite", {"name": "the run itself", "timestamp": record.plan.started_at.isoformat()})
        _error(suite, record, "the run itself", whole)
        _count(suite)
    _count(root)
    ET.indent(root)
    body: str = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _suite(record: RunRecord, index: int) -> ET.Element:
    scenario = record.plan.playbook.scenarios[index]
    began = any(event.scenario == index for event in record.events)
    story = Story(record, index)
    suite = ET.Element("testsuite", {"name": _clean(f"{index + 1}. {scenario.title}"), "time": _seconds(story) if began else "0"})
    suite.set("timestamp", (story.began if began else record.plan.started_at).isoformat())
    for judgement in story.judgements:
        suite.append(_case(record, judgement))
    problems = [*_unclean(record, index), *_errors(record, index)]
    if problems:
        _error(suite, record, "nothing is left behind, and nothing broke", problems)
    stopped = record.first(EventKind.ABORTED, scenario=index)
    if stopped is not None:
        _error(suite, record, "it is played to its end", [f"aborted: {stopped.text('reason')}"])
    elif not began and not len(suite):
        case = ET.SubElement(suite, "testcase", {"classname": _clean(record.plan.playbook.name), "name": "it is played to its end"})
        ET.SubElement(case, "skipped", {"message": "not begun"})
    _count(suite)
    return suite


def _seconds(story: Story) -> str:
    return f"{((story.ended or story.events[-1].at) - story.began).total_seconds():.3f}"


def _case(record: RunRecord, judgement: Judgement) -> ET.Element:
    case = ET.Element("testcase", {"classname": _clean(record.plan.playbook.name), "name": _clean(judgement.expectation)})
    element = _ELEMENTS.get(judgement.word)
    if element:
        ET.SubElement(case, element, {"message": _clean(f"{judgement.word}: {judgement.seen}")})
    else:
        ET.SubElement(case, "system-out").text = _clean(f"{judgement.word}: {judgement.seen}")
    return case


def _unclean(record: RunRecord, index: int) -> Iterator[str]:
    for proof in proofs(record, index):
        if not proof.clean and (proof.fault.active_at or proof.fault.armed_at):
            why = f" ({listed(proof.problems)})" if proof.problems else ""
            yield f"{proof.fault.name}{at(proof.fault.label)}: {proof.outcome}{why}"


def _errors(record: RunRecord, index: int | None) -> Iterator[str]:
    return (event.text("what") or "error of the run" for event in record.of(EventKind.RUN_ERROR) if event.scenario == index)


def _error(suite: ET.Element, record: RunRecord, name: str, problems: list[str]) -> None:
    case = ET.SubElement(suite, "testcase", {"classname": _clean(record.plan.playbook.name), "name": name})
    ET.SubElement(case, "error", {"message": _clean("; ".join(problems))})


def _count(element: ET.Element) -> None:
    element.set("tests", str(sum(1 for _ in element.iter("testcase"))))
    for attribute, tag in _COUNTED.items():
        element.set(attribute, str(sum(1 for _ in element.iter(tag))))


def _clean(text: str) -> str:
    return _NOT_XML.sub("\N{REPLACEMENT CHARACTER}", text)
