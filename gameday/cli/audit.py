"""`gameday audit verify`: whether records are as they were written: no row changed, missing, added or moved."""

from __future__ import annotations

import json
from dataclasses import dataclass

from gameday.cli import context


@dataclass(frozen=True)
class Audited:
    """One run: what its chains say, and where they do not hold."""

    run: str
    said: str
    damage: tuple[str, ...]


def verify(run: str | None, as_json: bool) -> int:
    """Checks one run, or all there are. Returns 0 when every chain holds, 1 otherwise."""
    opened = context.store(context.settings())
    runs = [context.which(opened, run)] if run else [line.run_id for line in opened.list(100_000)]
    found = []
    for run_id in runs:
        record = opened.read(run_id)
        found.append(Audited(run_id, record.chain, record.missing))
    damaged = sum(bool(each.damage) for each in found)
    if as_json:
        print(json.dumps([{"run": each.run, "verified": not each.damage, "said": each.said, "damage": [*each.damage]} for each in found], indent=2))
    else:
        for each in found:
            print(f"{'no' if each.damage else 'ok':<3} {each.run}  {'; '.join(each.damage) or each.said}")
        print(f"{len(found)} record{'s' * (len(found) != 1)}: {len(found) - damaged} as written, {damaged} damaged")
    return 1 if damaged else 0
