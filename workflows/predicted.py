"""What people predict before a scenario's go: the day keeps it to itself until the scenario is over, and the record has a hash of it until then."""

from __future__ import annotations

from collections.abc import Iterator

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from gameday.commands import Answer, Command, Verb
    from gameday.errors import LanguageError
    from gameday.event import EventKind
    from gameday.guess import Commitment
    from gameday.model import one_line
    from gameday.plan import Plan
    from gameday.playbook import Role, Scenario
    from gameday.predictions import Measured, asked, number
    from workflows.commands import Commands


class Predicted(Commands):
    """The commitments of each scenario that is not over yet."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(plan)
        self.commitments: dict[int, list[Commitment]] = {}

    def refuses(self, command: Command) -> str | None:
        return super().refuses(command) or (self.unpredictable(command) if command.verb is Verb.PREDICT else None)

    def foretold(self, command: Command) -> int:
        """The index of the scenario that a prediction is for: the next that has had no go yet, unless it says which."""
        if command.scenario is not None:
            return command.scenario - 1
        return len(self.outcomes) + (1 if self.now is not None and self.now.armed and not self.now.judged else 0)

    def had_its_go(self, index: int) -> bool:
        return index < len(self.outcomes) or bool(self.now and self.now.index == index and (self.now.armed or self.now.judged))

    def unpredictable(self, command: Command) -> str | None:
        """Why a prediction is not accepted, or None when it is."""
        scenarios, index = self.plan.playbook.scenarios, self.foretold(command)
        if index >= len(scenarios):
            return f"there is no scenario {index + 1}: the playbook has {len(scenarios)}" if command.scenario else "no scenario is still to come"
        which, scenario = f"scenario {index + 1}", scenarios[index]
        if self.had_its_go(index):
            return f"too late: {which} has had its go; what is predicted afterwards is none"
        if scenario.sealed and self.known(command.actor).role is Role.RESPONDER and not (self.now and self.now.index == index and self.now.revealed):
            return f"{which} is sealed, and so are its questions"
        return next(self.wrong(command, index, which, scenario), None)

    def wrong(self, command: Command, index: int, which: str, scenario: Scenario) -> Iterator[str]:
        open_questions = [each.text for each in scenario.predict]
        if not open_questions:
            yield f"{which} asks for no predictions"
        listed = ", ".join(repr(each) for each in open_questions)
        if not command.guesses:
            yield f"say what you predict; {which} asks: {listed}"
        taken = self.answered(index, self.name_of(command.actor))
        for guess in command.guesses:
            question = asked(scenario, guess.question)
            if question is None:
                yield f"{which} does not ask {guess.question!r}; expected one of {listed}"
                return
            if question.text in taken:
                yield f"you have predicted {question.text!r} already, and a prediction cannot be edited"
            taken.add(question.text)
            try:
                number(question, guess.answer, self.plan.units)
            except LanguageError as error:
                yield f"{question.text}: {error}"

    def answered(self, index: int, name: str) -> set[str]:
        """The questions of a scenario that somebody has answered."""
        return {guess.question for each in self.commitments.get(index, ()) if each.name == name for guess in each.guesses}

    def on_predict(self, command: Command) -> Answer:
        index, name = self.foretold(command), self.name_of(command.actor)
        scenario = self.plan.playbook.scenarios[index]
        known = [(asked(scenario, guess.question), guess) for guess in command.guesses]
        guesses = tuple(guess.model_copy(update={"question": question.text}) for question, guess in known if question)
        made = Commitment(name=name, salt=workflow.uuid4().hex, guesses=guesses)
        self.commitments.setdefault(index, []).append(made)
        questions = [guess.question for guess in guesses]
        digest = made.digest(self.plan.run_id, index)
        self.diary.tell(EventKind.PREDICTED, scenario=index, actor=name, questions=questions, hash=digest, said=command.said)
        left = [each.text for each in scenario.predict if each.text not in self.answered(index, name)]
        said = f"kept until scenario {index + 1} is over: {'; '.join(f'{each.question}: {each.answer}' for each in guesses)}"
        return Answer(text=one_line(said + (f". Still open: {', '.join(left)}" if left else ""), 1000))

    def open_predictions(self, index: int, measured: tuple[Measured, ...] = ()) -> None:
        """Shows what was committed to, now that it can help nobody any more, with what was measured."""
        made = self.commitments.pop(index, None)
        if made:
            self.diary.tell(
                EventKind.PREDICTIONS_OPENED,
                scenario=index,
                predictions=[each.model_dump(mode="json") for each in made],
                measured=[each.model_dump(mode="json") for each in measured],
            )
