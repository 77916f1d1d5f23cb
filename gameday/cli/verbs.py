"""What people tell a run, one command each. The run answers at once; who may say what, and when, is the run's own rule."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from gameday.cli.options import SAYING, Reason, Run, app

Text = Annotated[str, typer.Argument(help="What you saw or think.", metavar="TEXT")]
About = Annotated[Literal["seen", "went-well", "went-wrong", "lucky", "action"], typer.Option(help="Where the report puts it.")]
Clock = Annotated[Literal["detected", "mitigated"], typer.Argument(help="What people have done by now.", metavar="CLOCK")]


@app.command(rich_help_panel=SAYING)
def go(
    run: Run,
    gate: Annotated[str | None, typer.Option(help="The gate it is for; refused when another is waiting.", metavar="NAME")] = None,
    targets: Annotated[str | None, typer.Option(help="The `targets_digest` that `status --json` gave for what it is for.", metavar="DIGEST")] = None,
) -> None:
    """Open the gate that is waiting.

    Before an inject it shows exactly what will be touched, asks where somebody sits at a terminal, and approves that list alone.
    """
    _say(run, "go", gate=gate, targets=targets)


@app.command(rich_help_panel=SAYING)
def ready(run: Run, note: Annotated[str | None, typer.Argument(help="What the others should know.", metavar="[TEXT]")] = None) -> None:
    """Say that you are ready."""
    _say(run, "ready", text=note)


@app.command(rich_help_panel=SAYING)
def unready(run: Run, reason: Reason = None) -> None:
    """Say that you are not ready, or not any more."""
    _say(run, "unready", reason=reason)


@app.command(rich_help_panel=SAYING)
def tick(run: Run, item: Annotated[str, typer.Argument(help="The item's number, from 1, or how it begins.", metavar="ITEM")]) -> None:
    """Tick an item of the checklist: yours, or any if you command."""
    _say(run, "tick", item=item)


@app.command(rich_help_panel=SAYING)
def hold(run: Run, reason: Reason = None) -> None:
    """Pause the clock of the day: nothing new starts.

    A fault that is on stays on until its own end; `abort` takes it off.
    """
    _say(run, "hold", reason=reason)


@app.command(rich_help_panel=SAYING)
def resume(run: Run, reason: Reason = None) -> None:
    """Let a held day go on."""
    _say(run, "resume", reason=reason)


@app.command(rich_help_panel=SAYING)
def skip(run: Run, reason: Reason = None) -> None:
    """Take off what is on, and go to the next scenario."""
    _say(run, "skip", reason=reason)


@app.command(rich_help_panel=SAYING)
def abort(run: Run, reason: Reason = None) -> None:
    """Take everything off, prove it, and end the day.

    Anybody who can reach the run may say it, at any moment. Saying it again does no harm.
    """
    _say(run, "abort", reason=reason)


@app.command(rich_help_panel=SAYING)
def real(run: Run, reason: Reason = None) -> None:
    """A real incident has begun: take everything off, open the seals, end the day.

    Then says what this day has touched, what is proven clean and how, and what is not. Anybody who can reach the run may say it, at any moment.
    """
    from gameday.cli.incident import call_real

    call_real(run, reason)


@app.command(rich_help_panel=SAYING)
def handover(run: Run, name: Annotated[str, typer.Argument(help="A member of the team.", metavar="NAME")]) -> None:
    """Hand the command of the day over.

    From then on that person says go, skip, extend and reveal, and whoever commanded before does not.
    """
    _say(run, "handover", to=name)


@app.command(rich_help_panel=SAYING)
def here(run: Run) -> None:
    """Say that somebody who may decide is still there.

    Every other command says it too, and so does following the run.
    """
    _say(run, "here")


@app.command(rich_help_panel=SAYING)
def reveal(run: Run, reason: Reason = None) -> None:
    """Open the sealed scenario that is under way."""
    _say(run, "reveal", reason=reason)


@app.command(rich_help_panel=SAYING)
def note(
    run: Run,
    text: Text,
    about: About = "seen",
    owner: Annotated[str | None, typer.Option(help="Who does the action.", metavar="NAME")] = None,
    due: Annotated[str | None, typer.Option(help="Until when, in your own words.", metavar="TEXT")] = None,
) -> None:
    """Put a note on the timeline, and into the report."""
    _say(run, "note", text=text, about=about, owner=owner, due=due)


@app.command(rich_help_panel=SAYING)
def mark(run: Run, clock: Clock) -> None:
    """Mark the moment that people detected or mitigated it.

    CLOCK is `detected` or `mitigated`.
    """
    _say(run, "mark", clock=clock)


@app.command(rich_help_panel=SAYING)
def done(
    run: Run,
    fault: Annotated[str | None, typer.Argument(help="The fault's name, where several are asked for.", metavar="[FAULT]")] = None,
    half: Annotated[Literal["do", "undo"] | None, typer.Option(help="Which half it is for; refused when the other is asked for.")] = None,
) -> None:
    """Say that what was asked to be done by hand is done.

    It shows what that is, and asks where somebody sits at a terminal: nothing is read back, so it is on, and off, by that word. Also for what is
    still to be undone once the run is over.
    """
    from gameday.cli.doing import say_done

    typer.echo(say_done(run, fault, half))


@app.command(rich_help_panel=SAYING)
def extend(run: Run, by: Annotated[str, typer.Argument(help="By how long, such as 2m.", metavar="DURATION")]) -> None:
    """Let the faults that are on stay longer.

    Never longer than the blast radius of the playbook allows.
    """
    from gameday.units import parse_duration

    _say(run, "extend", by=parse_duration(by))


@app.command(rich_help_panel=SAYING)
def predict(
    run: Run,
    guesses: Annotated[list[str], typer.Argument(help="What you predict, such as 'worst errors=2 %'.", metavar="QUESTION=ANSWER…")],
    scenario: Annotated[int | None, typer.Option(help="The scenario's number; the next that has no go yet.", metavar="N")] = None,
) -> None:
    """Commit to what you think will happen, before the go.

    The record gets a hash of it, and nobody sees it until the scenario is over; then it is scored. It cannot be edited.
    """
    from gameday.cli.saying import read_guesses

    _say(run, "predict", guesses=read_guesses(guesses), scenario=scenario)


def _say(run: str, verb: str, **fields: object) -> None:
    from gameday.cli.saying import say

    typer.echo(say(run, verb, {name: value for name, value in fields.items() if value is not None}))
