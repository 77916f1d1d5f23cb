"""Chaos Toolkit, in an environment of its own outside the tree: the same fault on the same kind of process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.place import Sleepers

VERSION = "1.19.0"


def installed() -> Path | None:
    """The `chaos` program, installed on first use; None where pip cannot."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "gameday" / f"chaostoolkit-{VERSION}"
    program = cache / "bin" / "chaos"
    if program.is_file():
        return program
    for argv in ([sys.executable, "-m", "venv", str(cache)], [str(cache / "bin" / "pip"), "install", "-q", f"chaostoolkit=={VERSION}"]):
        if subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=300).returncode:
            return None
    return program if program.is_file() else None


def freeze(program: Path, folder: Path, sleepers: Sleepers) -> tuple[float, float]:
    """Runs an experiment that freezes a new sleeper. Returns when it was started and when the sleeper stood still."""
    sleepers.add(1)
    pid = sleepers.processes[-1].pid
    (folder / "freezing.py").write_text("import os\n\n\ndef freeze(pid: int) -> None:\n    os.kill(pid, 19)\n")
    provider = {"type": "python", "module": "freezing", "func": "freeze", "arguments": {"pid": pid}}
    action = {"type": "action", "name": "freeze", "provider": provider}
    experiment = folder / "experiment.json"
    experiment.write_text(json.dumps({"title": "The sleeper freezes", "description": "Does anybody mind?", "method": [action]}))
    argv = [str(program), "--no-version-check", "--no-log-file", "--settings", "none.yaml", "run", "--journal-path", "journal.json", str(experiment)]
    began = time.time()
    quiet = subprocess.DEVNULL
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    process = subprocess.Popen(argv, cwd=folder, stdin=quiet, stdout=quiet, stderr=quiet, env=environment)
    while not is_frozen(pid):
        assert time.time() - began < 30, "Chaos Toolkit never froze it"
        time.sleep(0.002)
    frozen = time.time()
    process.wait(30)
    return began, frozen


def is_frozen(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"
