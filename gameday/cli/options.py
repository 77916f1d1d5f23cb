"""The command itself, its groups in the help, and the arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer._click import Context, HelpFormatter

GROUPS = DAY, SAYING, RECORD, PLAYBOOKS, MACHINE, PROCESSES = (
    "The day",
    "What people say during it",
    "What was recorded",
    "Playbooks",
    "This machine",
    "The processes",
)


class Grouped(TyperGroup):
    """Help with the commands under what they are for. Plain text: it costs nothing, and pipes and narrow terminals can read it."""

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        names = self.list_commands(ctx)
        longest = max(map(len, names))
        groups: dict[str, list[tuple[str, str]]] = {title: [] for title in GROUPS}
        for name in names:
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                about = command.get_short_help_str(max(formatter.width - 6 - longest, 20))
                groups[str(getattr(command, "rich_help_panel", ""))].append((name.ljust(longest), about))
        for title, rows in groups.items():
            with formatter.section(title):
                formatter.write_dl(rows)


app = typer.Typer(
    name="gameday",
    cls=Grouped,
    help="Durable chaos-engineering game days: a playbook in, a postmortem out, and nothing left broken.",
    epilog="`gameday COMMAND --help` says more of each. Exit status: 0 done, 2 bad input, 5 it could not be done; `run` and `follow` have more.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Playbook = Annotated[Path, typer.Argument(help="A playbook, a YAML file.", metavar="PLAYBOOK")]
Run = Annotated[str, typer.Argument(help="A run's id, or the start of it; `latest` for the newest.", metavar="RUN")]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]
Reason = Annotated[str | None, typer.Option("--reason", "-r", help="Why, for the record.", metavar="TEXT")]
Set = Annotated[list[str] | None, typer.Option("--set", help="A variable of the playbook: name=value. May be repeated.", metavar="NAME=VALUE")]
