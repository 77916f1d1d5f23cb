"""`manual`: something that somebody is asked to do by hand, and later to undo by hand.

    inject: manual
    with: {do: 'Pull the cable of db-2', undo: 'Plug it back in', by: Linus}
    for: 10m
    until: mitigated

It has no `on`. `gameday done RUN` says that what is asked is done.
"""

from __future__ import annotations

from activities.injectors.injector import Host, Injector
from activities.steps.step import Step
from gameday.by_hand import MANUAL, Errand
from gameday.errors import Refused
from gameday.fault import ResolvedTarget


class Manual(Injector[Errand]):
    """Asks somebody to do something by hand, and later to undo it: each half counts once it is said to be done. Nothing is read back: the
    proof of it is somebody's word."""

    kind = MANUAL
    Params = Errand
    by_hand = True
    ends = "whoever undoes it; nothing else can"

    def steps(self, params: Errand, target: ResolvedTarget, host: Host) -> tuple[Step, ...]:
        """There are none: the workflow asks (workflows/by_hand.py), and no host is ever given it."""
        raise Refused(f"{target.label}: what is done by hand is carried out by no host")
