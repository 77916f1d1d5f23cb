"""The templates of the reports: Markdown in which every value is escaped without being asked to."""

from __future__ import annotations

import functools

from jinja2 import Environment, PackageLoader, StrictUndefined

from reports.escape import finalize, table


@functools.cache
def environment() -> Environment:
    """Jinja for Markdown. `finalize` sees every value, and turns all but our own Markdown into text."""
    jinja = Environment(
        loader=PackageLoader("reports"),
        autoescape=True,  # keeps what a macro returns recognisable as Markdown; `finalize` comes first, so nothing is escaped as HTML
        finalize=finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    jinja.globals.update(table=table)
    return jinja
