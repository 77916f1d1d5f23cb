"""The commands and their options. Each is a line or two here; what it does is in the module it calls."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    name="gameday",
    help="Durable chaos-engineering game days: a playbook in, a postmortem out, and nothing left broken.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

Playbook = Annotated[Path, typer.Argument(help="A playbook, a YAML file.", metavar="PLAYBOOK")]
Run = Annotated[str, typer.Argument(help="A run's id, or the start of it; `latest` for the newest.", metavar="RUN")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Reason = Annotated[str | None, typer.Option("--reason", "-r", help="Why, for the record.")]
Set = Annotated[list[str] | None, typer.Option("--set", help="A variable of the playbook: name=value. May be repeated.", metavar="NAME=VALUE")]


@app.callback(invoke_without_command=True)
def _root(context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"gameday {installed('gameday')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@app.command(rich_help_panel="A day")
def run(
    playbook: Playbook,
    detach: Annotated[bool, typer.Option("--detach", help="Start it, and leave it running.")] = False,
    values: Set = None,
    approve: Annotated[str, typer.Option(help="`ask` a human at each gate, or `auto`: you approve the whole day now.", metavar="ask|auto")] = "ask",
    as_json: AsJson = False,
    junit: Annotated[Path | None, typer.Option(help="Write the verdicts as JUnit XML.", metavar="FILE")] = None,
) -> None:
    """Start a run and follow it live. Ctrl-C aborts it and waits for the proof; a second Ctrl-C leaves it.

    Exit status: 0 passed, 1 failed, 2 bad input, 3 aborted, 4 stood down, 5 error, 6 dirty.
    """
    from gameday.cli.run import run_playbook

    raise typer.Exit(run_playbook(playbook, detach, values or [], approve, as_json, junit))


@app.command()
def follow(run: Run, as_json: AsJson = False) -> None:
    """Follow a run that is under way."""
    from gameday.cli.run import follow_run

    raise typer.Exit(follow_run(run, as_json))


@app.command()
def validate(playbook: Playbook, values: Set = None, as_json: AsJson = False) -> None:
    """Check a playbook, and report every problem at once."""
    from gameday.cli.playbooks import validate_playbook

    raise typer.Exit(validate_playbook(playbook, values or [], as_json))


@app.command()
def schema() -> None:
    """Print the playbook's JSON Schema, for an editor's completion."""
    from gameday.cli.playbooks import print_schema

    print_schema()


@app.command()
def catalog(as_json: AsJson = False) -> None:
    """List the kinds of fault and probe, with their parameters."""
    from gameday.cli.playbooks import print_catalog

    print_catalog(as_json)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what works on this machine, and what to do about the rest."""
    from gameday.cli.doctor import examine

    raise typer.Exit(examine(as_json))


@app.command()
def status(run: Run = "latest", as_json: AsJson = False) -> None:
    """Show where a run is now."""
    from gameday.cli.reading import show_status

    show_status(run, as_json)


@app.command()
def go(run: Run, gate: Annotated[str | None, typer.Option(help="The gate it is for; refused when another is waiting.")] = None) -> None:
    """Open the gate that is waiting."""
    _say(run, "go", gate=gate)


@app.command()
def ready(run: Run, note: Annotated[str | None, typer.Argument(help="What the others should know.")] = None) -> None:
    """Say that you are ready."""
    _say(run, "ready", text=note)


@app.command()
def tick(run: Run, item: Annotated[int, typer.Argument(help="The item's number, from 1.")]) -> None:
    """Tick an item of the checklist."""
    _say(run, "tick", item=item)


@app.command()
def hold(run: Run, reason: Reason = None) -> None:
    """Pause the clock of the day: nothing new starts. A fault that is on stays on until its own end."""
    _say(run, "hold", reason=reason)


@app.command()
def resume(run: Run, reason: Reason = None) -> None:
    """Let a held day go on."""
    _say(run, "resume", reason=reason)


@app.command()
def skip(run: Run, reason: Reason = None) -> None:
    """Take off what is on, and go to the next scenario."""
    _say(run, "skip", reason=reason)


@app.command()
def abort(run: Run, reason: Reason = None) -> None:
    """Take everything off, prove it, and end the day."""
    _say(run, "abort", reason=reason)


@app.command()
def reveal(run: Run, reason: Reason = None) -> None:
    """Open the sealed scenario that is under way."""
    _say(run, "reveal", reason=reason)


@app.command()
def note(
    run: Run,
    text: Annotated[str, typer.Argument(help="What you saw or think.")],
    about: Annotated[str, typer.Option(help="seen, went-well, went-wrong, lucky or action.", metavar="KIND")] = "seen",
    owner: Annotated[str | None, typer.Option(help="Who does the action.")] = None,
    due: Annotated[str | None, typer.Option(help="Until when.")] = None,
) -> None:
    """Put a note on the timeline, and into the report."""
    _say(run, "note", text=text, about=about, owner=owner, due=due)


@app.command()
def mark(run: Run, clock: Annotated[str, typer.Argument(help="detected or mitigated.", metavar="CLOCK")]) -> None:
    """Mark the moment that people detected or mitigated it."""
    _say(run, "mark", clock=clock)


@app.command()
def extend(run: Run, by: Annotated[str, typer.Argument(help="By how long, such as 2m.")]) -> None:
    """Let the faults that are on stay longer, within the blast radius."""
    from gameday.units import parse_duration

    _say(run, "extend", by=parse_duration(by))


@app.command()
def runs(as_json: AsJson = False, most: Annotated[int, typer.Option(help="How many.")] = 20) -> None:
    """List past and present runs."""
    from gameday.cli.reading import list_runs

    list_runs(as_json, most)


@app.command()
def report(run: Run = "latest", as_json: AsJson = False) -> None:
    """Write a run's postmortem from its record, and say where it is. Works for a run that was killed half-way too."""
    from gameday.cli.reading import write_report

    write_report(run, as_json)


@app.command()
def replay(
    run: Run = "latest",
    speed: Annotated[float, typer.Option(help="How many times faster than it was; 0 for all at once.", min=0.0)] = 10.0,
    as_json: AsJson = False,
) -> None:
    """Play a past run back in the live view, from its record alone."""
    from gameday.cli.replay import replay_run

    replay_run(run, speed, as_json)


@app.command()
def leftovers(
    revert: Annotated[bool, typer.Option("--revert", help="Take off everything that no live run owns.")] = False, as_json: AsJson = False
) -> None:
    """List effects and traces of faults on this machine that no live run owns."""
    from gameday.cli.leftovers import show_leftovers

    raise typer.Exit(show_leftovers(revert, as_json))


@app.command()
def up(
    ui_port: Annotated[int | None, typer.Option(help="The port of Temporal's UI.")] = None,
    leave_when_idle: Annotated[bool, typer.Option("--leave-when-idle", hidden=True)] = False,
) -> None:
    """Hold Temporal, conductor and agent up, until Ctrl-C. Stopping takes every fault off first."""
    from gameday.cli.processes import hold_up

    hold_up(ui_port, leave_when_idle)


@app.command()
def worker() -> None:
    """Run a conductor: workflows, observation, record, reports."""
    from gameday.cli.processes import run_worker

    run_worker()


@app.command()
def agent() -> None:
    """Run the agent of this host: puts faults on and takes them off here."""
    from gameday.cli.processes import run_agent

    run_agent()


@app.command()
def server(
    port: Annotated[int, typer.Option(help="The port of the service.")] = 7233,
    ui_port: Annotated[int, typer.Option(help="The port of its UI.")] = 8233,
) -> None:
    """Run the embedded Temporal server alone, on loopback."""
    from gameday.cli.processes import run_server

    run_server(port, ui_port)


def _say(run: str, verb: str, **fields: str | int | timedelta | None) -> None:
    from gameday.cli.saying import say

    typer.echo(say(run, verb, {name: value for name, value in fields.items() if value is not None}))
