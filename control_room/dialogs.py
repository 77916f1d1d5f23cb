"""Dialogs: what is asked of one person. Each carries what it is about, so that what is sent off is for that and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from slack_sdk.models.blocks import InputBlock, Option, PlainTextInputElement, SectionBlock, StaticSelectElement
from slack_sdk.models.views import View

from control_room.blocks import SECTION, cut, packed, plain, section
from control_room.control import lacking
from gameday.playbook import Fault, Variable
from gameday.units import format_duration
from gameday.view import RunView

Dialog = dict[str, Any]
FIELD = "answer"
"""The action id of the one element of each input."""
SURVEY = (("went-well", "What went well?"), ("went-wrong", "What went wrong?"), ("lucky", "Where did we get lucky?"))
ACTIONS = 3
"""How many action items one survey asks for; who has more opens it again."""


def _dialog(callback: str, title: str, submit: str, carried: Mapping[str, str], blocks: Iterable[SectionBlock | InputBlock]) -> Dialog:
    view = View(
        type="modal",
        callback_id=callback,
        title=cut(title, 24),
        submit=cut(submit, 24),
        close="Cancel",
        private_metadata=packed(dict(carried)),
        blocks=list(blocks),
    )
    return view.to_dict()


def field(name: str, label: str, needed: bool = False, lines: bool = False, hint: str = "", value: str = "", most: int = 900) -> InputBlock:
    element = PlainTextInputElement(
        action_id=FIELD, multiline=lines, max_length=most, initial_value=value or None, placeholder=cut(hint, 150) if hint else None
    )
    return InputBlock(block_id=name, label=cut(label, 2000), element=element, optional=not needed)


def people(name: str, label: str, names: Iterable[str], needed: bool = True) -> InputBlock:
    options = [Option(text=cut(each, 75), value=each[:150]) for each in names][:100]
    return InputBlock(block_id=name, label=label, element=StaticSelectElement(action_id=FIELD, options=options), optional=not needed)


def go(view: RunView, gate: str) -> Dialog:
    """Exactly what will be touched; what is sent off approves that list alone."""
    carried = {"run": view.plan.run_id, "gate": gate, "targets": view.targets_digest if gate != "day" else ""}
    if gate == "day" or view.scenario is None:
        return _dialog("go", f"Go: {gate}", "Go", carried, [section("The day begins. Nothing is touched yet."), *_lacks(view)])
    playbook = view.plan.playbook
    scenario = playbook.scenarios[view.scenario]
    title = f"*{view.scenario + 1} of {len(playbook.scenarios)} {plain(scenario.title)}* · {plain(playbook.environment)}"
    faults = [f"• `{each.name}`: {plain(each.inject)}, {_length(each)}" for each in scenario.faults]
    touched = _sections(["This touches exactly:", *(f"• {plain(each)}" for each in view.targets)])
    blocks = [section(title), *_sections(faults), *touched, *_lacks(view)]
    return _dialog("go", f"Go: {gate}", "Go", carried, blocks)


def _sections(lines: Sequence[str]) -> list[SectionBlock]:
    """Lines in as many sections as they need: what is approved is shown to its last line."""
    found = [""]
    for line in lines:
        if len(found[-1]) + len(line) >= SECTION:
            found.append("")
        found[-1] = f"{found[-1]}\n{line}".strip()
    return [section(text) for text in found]


def _length(fault: Fault) -> str:
    return f"up to {format_duration(fault.duration)}" + (f", until {fault.until}" if fault.until else "")


def _lacks(view: RunView) -> list[SectionBlock]:
    """What the gate waits for besides the go, which may be said before it."""
    said = lacking(view)
    return [section(f"_{said}_")] if said else []


def unready(run: str) -> Dialog:
    return _dialog("unready", "Not ready", "Say it", {"run": run}, [field("reason", "What is missing?")])


def note(run: str) -> Dialog:
    return _dialog("note", "A note", "Note", {"run": run}, [field("text", "What do you see?", needed=True, lines=True, most=1900)])


def why(run: str) -> Dialog:
    return _dialog("why", "Why?", "Note", {"run": run}, [field("text", "Why did you stop it?", needed=True, lines=True, most=900)])


def handover(view: RunView, names: Iterable[str]) -> Dialog:
    said = section("From then on that person says go, skip, extend and reveal, and you look on.")
    return _dialog("handover", "Hand over", "Hand over", {"run": view.plan.run_id}, [said, people("to", "Who commands now?", names)])


def predict(view: RunView, index: int) -> Dialog:
    """A scenario's questions. Answers are kept from everybody until the scenario is over."""
    scenario = view.plan.playbook.scenarios[index]
    said = section("Nobody sees this until the scenario is over, and it cannot be edited.")
    hints = {"first": "such as 20s, or never", "worst": "such as 2 %, or 300 ms"}
    fields = [field(f"q{number}", each.text, hint=hints.get(each.text.split()[0], ""), most=190) for number, each in enumerate(scenario.predict)]
    carried = {"run": view.plan.run_id, "scenario": str(index + 1)}
    return _dialog("predict", "What will happen?", "Commit", carried, [said, *fields])


def survey(view: RunView, names: Iterable[str]) -> Dialog:
    """After the end: it lands in the report, under the name of whoever answers."""
    known = list(names)
    blocks = [field(name, label, lines=True, most=1900) for name, label in SURVEY]
    for number in range(1, ACTIONS + 1):
        blocks.append(field(f"action{number}", f"Action item {number}", most=900))
        if known:
            blocks.append(people(f"owner{number}", f"Owner of item {number}", known, needed=False))
    return _dialog("survey", "How was it?", "Send", {"run": view.plan.run_id}, blocks)


def start(playbook: str, variables: Mapping[str, Variable]) -> Dialog:
    """A playbook's variables, with what they are when nothing is said."""
    blocks: list[SectionBlock | InputBlock] = [section(f"Starts `{plain(playbook)}`. It waits at its gates for a go.")]
    for name, each in variables.items():
        default = "" if each.default is None else str(each.default).lower() if isinstance(each.default, bool) else str(each.default)
        label = f"{name}{f': {each.about}' if each.about else ''}"
        blocks.append(field(f"v-{name}", label, needed=each.default is None, value=default, most=1900))
    return _dialog("start", "Start a game day", "Start", {"playbook": playbook}, blocks)
