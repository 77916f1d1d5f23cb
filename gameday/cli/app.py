"""The commands and their options. Each is a line or two here; what it does is in the module it calls."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from gameday.cli import verbs  # noqa: F401  # registers what people say during a day
from gameday.cli.options import DAY, MACHINE, PLAYBOOKS, PROCESSES, RECORD, AsJson, Playbook, Reason, Run, Set, app

__all__ = ["app"]


@app.callback(invoke_without_command=True)
def _root(context: typer.Context, version: Annotated[bool, typer.Option("--version", help="Show the version.")] = False) -> None:
    if version:
        from importlib.metadata import version as installed

        typer.echo(f"gameday {installed('gameday')}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@app.command(rich_help_panel=DAY)
def run(
    playbook: Playbook,
    detach: Annotated[bool, typer.Option("--detach", help="Start it, and leave it running.")] = False,
    values: Set = None,
    approve: Annotated[Literal["ask", "auto"], typer.Option(help="Ask a human at each gate, or approve the whole day now.")] = "ask",
    as_json: AsJson = False,
    junit: Annotated[Path | None, typer.Option(help="Write the verdicts as JUnit XML.", metavar="FILE")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Play the whole day with nothing changed.")] = False,
) -> None:
    """Start a run and follow it live.

    Ctrl-C aborts it and waits for the proof that everything is off; a second Ctrl-C leaves without waiting.

    Exit status: 0 passed, 1 failed, 2 bad input, 3 aborted, 4 stood down, 5 error, 6 dirty, 130 left by a second Ctrl-C.
    """
    from gameday.cli.starting import Starter

    with Starter() as starter:  # before the heavy imports of what is to be run: it has as many of its own
        from gameday.cli.run import run_playbook

        raise typer.Exit(run_playbook(starter, playbook, detach, values or [], approve, as_json, junit, "dry run" if dry_run else "day"))


@app.command(rich_help_panel=DAY)
def rehearse(
    playbook: Playbook,
    values: Set = None,
    past: Annotated[str, typer.Option(help="How much of the past the guardrails are tried on; 0s for none.", metavar="DURATION")] = "168h",
    approve: Annotated[Literal["ask", "auto"], typer.Option(help="Ask a human before each fault, or approve them all now.")] = "ask",
    as_json: AsJson = False,
) -> None:
    """Prove probes, targets and brakes before the day.

    Every probe is read, every guardrail tried on the past, and each fault put on one target for two seconds and taken off as an abort does.

    Exit status: 0 passed, 1 something does not work as the day needs it, 2 bad input, 3 aborted, 4 stood down, 5 error, 6 dirty.
    """
    from gameday.cli.starting import Starter

    with Starter() as starter:
        from gameday.cli.run import run_playbook
        from gameday.units import parse_duration

        length = parse_duration(past)
        raise typer.Exit(run_playbook(starter, playbook, False, values or [], approve, as_json, kind="rehearsal", past=length))


@app.command(rich_help_panel=DAY)
def halt(
    reason: Reason = None,
    release: Annotated[bool, typer.Option("--release", help="Lift the halt.")] = False,
    local: Annotated[bool, typer.Option("--local", help="This host alone, from its own disk: with no agent, Temporal or store.")] = False,
    as_json: AsJson = False,
) -> None:
    """Take every fault off on every host, end every run, and let nothing new begin until --release.

    The hosts of this machine's settings are asked and prove it; any other heeds the lever by itself within seconds.

    Anybody who can reach Temporal, or with --local this host, may say it.

    Exit status: 0 those hosts are proven clean, 5 one did not answer, 6 something could not be proven gone.
    """
    from gameday.cli.lever import pull_lever, release_lever

    if release:
        typer.echo(release_lever(reason or "", local))
        raise typer.Exit
    raise typer.Exit(pull_lever(reason or "", local, as_json))


@app.command(rich_help_panel=DAY)
def follow(run: Run = "latest", as_json: AsJson = False) -> None:
    """Follow a run that is under way, with its keys. Ctrl-C leaves it running.

    The exit status is the run's, as for `gameday run`; of a run that is over, what it was.
    """
    from gameday.cli.run import follow_run

    raise typer.Exit(follow_run(run, as_json))


@app.command(rich_help_panel=DAY)
def status(run: Run = "latest", as_json: AsJson = False) -> None:
    """Show where a run is now."""
    from gameday.cli.reading import show_status

    show_status(run, as_json)


@app.command(rich_help_panel=RECORD)
def runs(as_json: AsJson = False, most: Annotated[int, typer.Option(help="How many, the newest first.", metavar="N", min=1, max=1000)] = 20) -> None:
    """List past and present runs."""
    from gameday.cli.reading import list_runs

    list_runs(as_json, most)


audit = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(audit, name="audit", rich_help_panel=RECORD)


@audit.command()
def verify(
    run: Annotated[str | None, typer.Argument(help="One run; all of them without it.", metavar="[RUN]")] = None, as_json: AsJson = False
) -> None:
    """Check the hash chains: every row that was changed, taken away, added or moved shows.

    Whoever can write all of the store can make a whole new chain: keep a copy of the reports elsewhere.

    Exit status: 0 as written, 1 damaged.
    """
    from gameday.cli.audit import verify as check

    raise typer.Exit(check(run, as_json))


@audit.callback()
def _audit() -> None:
    """Whether records are as they were written."""


@app.command(rich_help_panel=RECORD)
def report(run: Run = "latest", as_json: AsJson = False) -> None:
    """Write a run's postmortem, and say where it is.

    It is made from the record alone, so it works for a run that was killed half-way too. With --json it prints the numbers of it instead.
    """
    from gameday.cli.reading import write_report

    write_report(run, as_json)


@app.command(rich_help_panel=RECORD)
def replay(
    run: Run = "latest",
    speed: Annotated[
        float | None,
        typer.Option(
            help="How many times faster than it was; 0 is all at once. Default: 10 in a terminal, else 0.", metavar="X", min=0.0, max=1000.0
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Play a past run back in the live view.

    Space pauses, + and - change the speed, the arrows jump ten seconds, q leaves.
    """
    from gameday.cli.replay import replay_run

    replay_run(run, speed, as_json)


@app.command(rich_help_panel=PLAYBOOKS)
def validate(playbook: Playbook, values: Set = None, as_json: AsJson = False) -> None:
    """Check a playbook, every problem at once.

    Exit status: 0 when it can be run, also with warnings; 2 when it cannot.
    """
    from gameday.cli.playbooks import validate_playbook

    raise typer.Exit(validate_playbook(playbook, values or [], as_json))


@app.command(rich_help_panel=PLAYBOOKS)
def catalog(
    kind: Annotated[str | None, typer.Argument(help="One kind, such as process.pause; without it, all.", metavar="KIND")] = None,
    as_json: AsJson = False,
) -> None:
    """List the kinds of fault and probe, with their parameters."""
    from gameday.cli.catalog import print_catalog

    print_catalog(kind, as_json)


@app.command(rich_help_panel=PLAYBOOKS)
def schema() -> None:
    """Print the playbook's JSON Schema, for an editor."""
    from gameday.cli.playbooks import print_schema

    print_schema()


@app.command(rich_help_panel=MACHINE)
def doctor(as_json: AsJson = False) -> None:
    """Say what works on this machine, and what to do about the rest.

    It tries things rather than assuming them. Exit status: 1 when something that every run needs does not work.
    """
    from gameday.cli.doctor import examine

    raise typer.Exit(examine(as_json))


@app.command(rich_help_panel=MACHINE)
def leftovers(
    revert: Annotated[bool, typer.Option("--revert", help="Take off everything that no live run owns.")] = False, as_json: AsJson = False
) -> None:
    """List what faults have left on this machine.

    Effects and traces that no live run owns. Exit status: 0 when there is none, 1 when something is left.
    """
    from gameday.cli.leftovers import show_leftovers

    raise typer.Exit(show_leftovers(revert, as_json))


@app.command(rich_help_panel=PROCESSES)
def up(
    ui_port: Annotated[
        int | None, typer.Option(help="The port of Temporal's UI; any that is free without it.", metavar="PORT", min=1, max=65535)
    ] = None,
    leave_when_idle: Annotated[bool, typer.Option("--leave-when-idle", hidden=True)] = False,
) -> None:
    """Hold Temporal, a conductor and an agent up.

    Until Ctrl-C, which takes every fault off first. Exit status: 6 when one could not be proven gone.

    `gameday run` does this by itself where nothing is up, for as long as the run takes.
    """
    from gameday.cli.processes import hold_up

    raise typer.Exit(hold_up(ui_port, leave_when_idle))


@app.command(rich_help_panel=PROCESSES)
def worker() -> None:
    """Run a conductor: workflows, observation, record.

    For a Temporal of your own: the environment says which (TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, …).
    """
    from gameday.cli.processes import run_worker

    run_worker()


@app.command(rich_help_panel=PROCESSES)
def agent() -> None:
    """Run this host's agent, which puts faults on and off.

    One on each host that faults are for. GAMEDAY_HOST says under which name playbooks know the host.
    """
    from gameday.cli.processes import run_agent

    run_agent()


@app.command(rich_help_panel=PROCESSES)
def server(
    port: Annotated[int, typer.Option(help="The port of the service.", metavar="PORT", min=1, max=65535)] = 7233,
    ui_port: Annotated[int, typer.Option(help="The port of its UI.", metavar="PORT", min=1, max=65535)] = 8233,
) -> None:
    """Run the embedded Temporal alone, on loopback."""
    from gameday.cli.processes import run_server

    run_server(port, ui_port)


slack = typer.Typer(rich_markup_mode=None)
app.add_typer(slack, name="slack", rich_help_panel=PROCESSES)


@slack.callback(invoke_without_command=True)
def _slack(context: typer.Context) -> None:
    """Run the Slack control room.

    By Socket Mode, or with signed callbacks, as [slack] of the settings says. A run does not know that it is there: without it nothing changes.
    """
    if context.invoked_subcommand is None:
        from gameday.cli.slack import serve

        serve()


@slack.command()
def manifest(
    url: Annotated[str | None, typer.Option(help="Where Slack reaches the callbacks, instead of Socket Mode.", metavar="URL")] = None,
) -> None:
    """Print the app's manifest, to paste into Slack."""
    from gameday.cli.slack import print_manifest

    print_manifest(url)


@slack.command("check")
def slack_check(as_json: AsJson = False) -> None:
    """Ask Slack whether token, scopes and channels are as they must be.

    Exit status: 1 where something does not work.
    """
    from gameday.cli.slack import check

    raise typer.Exit(check(as_json))
