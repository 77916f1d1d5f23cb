"""`make demo`: opens the shop, plays its game day with the `gameday` command as any user would, and closes the shop again.

Needs no root and no Docker, and with `--no-envoy` no Envoy. Everything listens on loopback, on ports that are free.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from demo.people import play_linus

ROOT = Path(__file__).resolve().parent.parent
ABORTED = 3
"""The exit status of `gameday run` when a guardrail ended the day: how this day is meant to end."""


def main() -> int:
    """Returns 0 when the day ended as it is meant to: survived once, aborted by a guardrail the second time."""
    parser = argparse.ArgumentParser(prog="python -m demo", description="Plays the game day of a small shop.")
    parser.add_argument("--no-envoy", action="store_true", help="as on a machine for which there is no Envoy")
    envoy = [] if not parser.parse_args().no_envoy else ["--no-envoy"]
    home = _home()
    with tempfile.TemporaryDirectory(prefix="shop-") as folder:
        shop = _open_shop(Path(folder), *envoy)
        try:
            facts = json.loads((Path(folder) / "shop.json").read_bytes())
            code = _play(home, Path(folder), facts)
        finally:
            shop.send_signal(signal.SIGTERM)
            shop.wait(timeout=30)
    return 0 if code == ABORTED else code or 1


def _home() -> Path:
    """Where the demo keeps its runs: beside a user's own, so that they are found again and never mixed."""
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    home = Path(os.environ.get("GAMEDAY_HOME") or data / "gameday") / "demo"
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    return home


def _open_shop(folder: Path, *options: str) -> subprocess.Popen[str]:
    print("Opening the shop: PostgreSQL, two ledgers, checkout, its monitor, and 50 customers a second…", flush=True)
    shop = subprocess.Popen(
        [sys.executable, "-m", "demo.shop", "up", str(folder), *options], cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert shop.stdout is not None  # a pipe was asked for
    if not shop.stdout.readline():
        sys.exit(f"the shop did not open (exit {shop.wait()})")
    return shop


def _play(home: Path, folder: Path, facts: dict[str, dict[str, str]]) -> int:
    settings = folder / "settings.toml"
    settings.write_text(settings_of(facts))
    playbook = "shop-day.yaml" if facts["envoy"] else "shop-day-without-envoy.yaml"
    if not facts["envoy"]:
        print("There is no Envoy for this machine: the second scenario freezes both ledgers instead of slowing them down.", flush=True)
    argv = [sys.executable, "-m", "gameday", "run", f"playbooks/{playbook}", "--approve", "auto"]
    argv += ["--set", f"checkout={facts['checkout']['url']}", "--set", f"monitor={facts['monitor']['url']}"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TEMPORAL_")}
    environment |= {"GAMEDAY_HOME": str(home), "GAMEDAY_SETTINGS": str(settings)}
    day = subprocess.Popen(argv, cwd=ROOT, env=environment)
    play_linus(environment, lambda: _is_frozen(int(facts["ledger"]["pid"])), lambda: day.poll() is not None)
    while True:
        try:
            return day.wait()
        except KeyboardInterrupt:
            continue  # the day has heard it too: it takes everything off first


def _is_frozen(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "T"
    except OSError:
        return False


def settings_of(facts: dict[str, dict[str, str]]) -> str:
    """What the shop's operator would write into gameday's settings."""
    lines = []
    for name in ("ledger", "standby", "checkout"):
        lines += [f"[hosts.local.processes.{name}]", f"pid_file = {json.dumps(facts[name]['pid_file'])}"]
    if facts["envoy"]:
        lines += ["[hosts.local.envoys.shop]", f"admin = {json.dumps(facts['envoy']['admin'].removeprefix('http://'))}"]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(main())
