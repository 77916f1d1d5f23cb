"""What the pages for users say is so: every command is on its page, and the README's playbook can be run."""

from __future__ import annotations

import re
import typing
from pathlib import Path

from typer.main import get_command

from activities.kinds import catalogue
from gameday.cli.app import app
from gameday.loading import loads

ROOT = Path(__file__).parents[3]


def test_every_command_is_on_its_page() -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    group = typing.cast(typing.Any, get_command(app))
    headings = " ".join(line for line in page.splitlines() if line.startswith("###"))
    assert [name for name in group.commands if not re.search(rf"gameday {name}\b", headings)] == []


def test_every_option_is_on_the_page_of_commands() -> None:
    page = (ROOT / "docs" / "commands.md").read_text()
    group = typing.cast(typing.Any, get_command(app))
    shown = [option for command in group.commands.values() for each in command.params if not getattr(each, "hidden", False) for option in each.opts]
    assert sorted({option for option in shown if option.startswith("--") and option not in page}) == []


def test_the_first_playbook_of_the_readme_can_be_run() -> None:
    readme = (ROOT / "README.md").read_text()
    (playbook,) = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)
    assert loads(playbook.encode(), catalogue()).warnings == ()


def test_the_readme_is_short_and_its_links_lead_somewhere() -> None:
    readme = (ROOT / "README.md").read_text()
    assert len(readme.splitlines()) < 150
    links = {link for link in re.findall(r"\]\(([^)#]+)\)", readme) if "://" not in link}
    assert {link for link in links if not (ROOT / link).exists()} == set()
