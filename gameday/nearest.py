"""The nearest valid name, for messages about a wrong one."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def hint(name: str, names: Iterable[str]) -> str:
    """The same for the middle of a sentence: `did you mean 'x'?`, or `expected …`."""
    near = nearest(name, names)
    return near if near.startswith("did you mean") else f"expected {near}"


def nearest(name: str, names: Iterable[str]) -> str:
    """`did you mean 'x'?`, or, with nothing near, the names there are (at most eight)."""
    known = sorted({str(each) for each in names})[:1000]
    folded = {each.casefold(): each for each in known}
    close = difflib.get_close_matches(name[:200].casefold(), folded, n=1, cutoff=0.6)
    if close:
        return f"did you mean {folded[close[0]]!r}?"
    if not known:
        return "one that is declared; there is none"
    if len(known) == 1:
        return f"{known[0]!r}, the only one"
    return "one of " + ", ".join(known[:8]) + (f" and {len(known) - 8} more" if len(known) > 8 else "")
