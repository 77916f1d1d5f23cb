"""Prints the part of requirements.lock that the image needs: what the project itself and the named extras bring, with its hashes.

    python runtime_lock.py EXTRA... > runtime.lock

The lock says of each package which others asked for it (`# via`), so no index has to be asked. Standard library only.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

_ENTRY = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
_VIA = re.compile(r"^ +#(?: via)? +([A-Za-z0-9._-]+)", re.MULTILINE)


def normal(name: str) -> str:
    """A package's name as it is compared. Source: PyPA, "Names and normalization"."""
    return re.sub(r"[-_.]+", "-", name).lower()


def entries(lock: str) -> list[tuple[str, str]]:
    """Each package of a lock with its text. One that depends on the Python version is there more than once."""
    found = list(_ENTRY.finditer(lock))
    ends = [*(each.start() for each in found[1:]), len(lock)]
    return [(normal(each[1]), lock[each.start() : end]) for each, end in zip(found, ends, strict=True)]


def needed(lock: str, wanted: set[str]) -> str:
    """The entries of these packages, and of all that was locked on their behalf."""
    found = entries(lock)
    missing = wanted - {name for name, _ in found}
    if missing:
        raise SystemExit(f"requirements.lock lacks {', '.join(sorted(missing))}; run `make lock`")
    size = 0
    while len(wanted) > size:
        size = len(wanted)
        wanted |= {name for name, text in found if wanted & {normal(via) for via in _VIA.findall(text)}}
    return "".join(text for name, text in found if name in wanted)


def main(extras: list[str]) -> None:
    project = tomllib.loads(Path("pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(each for extra in extras for each in project["optional-dependencies"][extra])]
    names = {normal(re.split(r"[^A-Za-z0-9._-]", each, maxsplit=1)[0]) for each in asked}
    sys.stdout.write(needed(Path("requirements.lock").read_text(), names))


if __name__ == "__main__":
    main(sys.argv[1:])
