"""Stands the shop up, and takes it down again.

`python -m demo.shop up DIR` keeps it open until Ctrl-C or SIGTERM; DIR/shop.json says where everything is.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import NoReturn

from demo import processes
from demo.database import Database
from demo.identity import introduce
from demo.processes import Child
from demo.proxy import Proxy, find_envoy
from demo.waiting import answers, fetch, wait_until


class Shop:
    """The whole shop, as a context manager or by `start` and `stop`.

    Start it from a thread that lives as long as the shop: Linux ends the shop's processes with the thread that made
    them, which is how they cannot outlive a supervisor that is killed.

    Attributes:
        directory: Where its files are: shop.json, and a log and a pid file of each process.
        checkout_url: Checkout.
        ledger_url: The primary ledger itself, not through Envoy.
        standby_url: The stand-by ledger itself.
        monitor_url: The monitor, with Alertmanager's API.
        envoy_admin: Envoy's admin API, or None without Envoy.
        database_uri: The connection string of the shop's PostgreSQL.
    """

    checkout_url: str
    ledger_url: str
    standby_url: str
    monitor_url: str
    envoy_admin: str | None = None
    database_uri: str

    def __init__(self, directory: Path | str, *, envoy: bool = True, rate: float = 50.0) -> None:
        """Sets up a shop that is still closed.

        Args:
            directory: Where its files go. Only one shop at a time can be in a directory.
            envoy: Whether to put Envoy before the ledgers. Where there is no Envoy, there is none either way.
            rate: Orders a second.
        """
        self.directory = Path(directory).resolve()
        self._envoy = find_envoy() if envoy else None
        self._rate = rate
        self._database = Database(self.directory)
        self._proxy: Proxy | None = None
        self._children: list[Child] = []
        self._lock: int | None = None

    def __enter__(self) -> Shop:
        """Starts the shop."""
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Stops the shop."""
        self.stop()

    def start(self) -> None:
        """Starts every process in order of dependency, and returns once all of them answer.

        Whatever it raises, nothing is left running.

        Raises:
            RuntimeError: If there is an open shop in this directory already, or a process ended at once.
            TimeoutError: If a process did not answer.
        """
        self._take_directory()
        try:
            self._start_all()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops every process and removes shop.json; the logs stay. May be called twice."""
        if self._lock is None:
            return
        (self.directory / "shop.json").unlink(missing_ok=True)
        processes.stop(child for child in self._children if child is not self._database.child)
        self._database.stop()
        self._children.clear()
        os.close(self._lock)
        self._lock = None

    @property
    def pids(self) -> dict[str, int]:
        """The ids of the running processes: postgres, ledger, standby, envoy, checkout, monitor, load."""
        return {child.name: child.pid for child in self._children}

    def bury(self) -> list[str]:
        """Returns the names of the processes that ended since the last call, and leaves none of them as a zombie."""
        dead = [child for child in self._children if child.process.poll() is not None]
        for child in dead:
            child.pid_file.unlink(missing_ok=True)
            self._children.remove(child)
        return [child.name for child in dead]

    def _take_directory(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        # The kernel lets go of this lock however we die, which it would not do for a pid file.
        lock = os.open(self.directory / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(lock)
            raise RuntimeError(f"there is an open shop in {self.directory} already") from error
        self._lock = lock
        for stale in [self.directory / "shop.json", *self.directory.glob("*.pid")]:
            stale.unlink(missing_ok=True)

    def _start_all(self) -> None:
        self._children.append(self._database.start())
        self.database_uri = self._database.uri
        self._start_ledgers()
        ledgers = {"ledger": self.ledger_url, "standby": self.standby_url}
        if self._envoy is not None:
            self._proxy = Proxy(self._envoy, ledgers, self.directory)
            self._children.append(self._proxy.start())
            self._proxy.wait_until_ready()
            self.envoy_admin, ledgers = self._proxy.admin, self._proxy.urls
        self._spawn("checkout", *(f"--{name}={url}" for name, url in ledgers.items()))
        self.checkout_url = self._url_of("checkout")
        self._spawn("monitor", f"--ledger={self.ledger_url}", f"--checkout={self.checkout_url}")
        self.monitor_url = self._url_of("monitor", health="/-/ready")
        load = [f"--checkout={self.checkout_url}", f"--rate={self._rate}"]
        self._children.append(processes.start_python("load", "demo.load", self.directory, *load))
        wait_until(self._has_sold, "the first order is sold")
        text = json.dumps(self._description(), indent=2)
        processes.write_atomically(self.directory / "shop.json", f"{text}\n")

    def _start_ledgers(self) -> None:
        for name in ("ledger", "standby"):
            self._spawn(name, f"--database={self.database_uri}", module="ledger")
        self.ledger_url, self.standby_url = self._url_of("ledger"), self._url_of("standby")

    def _spawn(self, name: str, *arguments: str, module: str | None = None) -> None:
        announcement = self.directory / f"{name}.url"
        announcement.unlink(missing_ok=True)
        own = [f"--name={name}", f"--announce={announcement}"]
        child = processes.start_python(name, f"demo.{module or name}", self.directory, *own, *arguments)
        self._children.append(child)

    def _url_of(self, name: str, health: str = "/health") -> str:
        """Waits until the service of this name has announced its URL and answers there."""
        announcement = self.directory / f"{name}.url"
        child = next(child for child in self._children if child.name == name)

        def is_up() -> bool:
            child.check()
            return announcement.exists() and answers(announcement.read_text() + health)

        wait_until(is_up, f"{name} answers")
        return announcement.read_text()

    def _has_sold(self) -> bool:
        self._children[-1].check()
        return b"\norders_total 0.0" not in fetch(f"{self.checkout_url}/metrics")

    def _description(self) -> dict[str, dict[str, str | int] | None]:
        """What shop.json says."""
        entries = {child.name: child.entry() for child in self._children}
        urls = {"checkout": self.checkout_url, "ledger": self.ledger_url, "standby": self.standby_url}
        urls["monitor"] = self.monitor_url
        return {
            **{name: {"url": url, **entries[name]} for name, url in urls.items()},
            "envoy": self._proxy.entry() if self._proxy else None,
            "load": entries["load"],
            "postgres": {"uri": self.database_uri, **entries["postgres"]},
            "supervisor": {"pid": os.getpid()},
        }


def up(directory: Path, *, envoy: bool, rate: float) -> NoReturn:
    """Keeps a shop open in the foreground until SIGTERM or SIGINT."""
    introduce("supervisor")
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    shop = Shop(directory, envoy=envoy, rate=rate)
    try:
        shop.start()
        print(f"The shop is open: checkout at {shop.checkout_url}, all else in {directory}/shop.json", flush=True)
        while True:
            for name in shop.bury():
                print(f"The shop's {name} has ended", flush=True)
            time.sleep(0.2)
    finally:
        # A second signal must not break off what the first one began.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        shop.stop()


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m demo.shop", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("up", help="open a shop, and keep it open until Ctrl-C or SIGTERM")
    command.add_argument("directory", type=Path, help="where its files go")
    command.add_argument("--no-envoy", action="store_true", help="checkout calls the ledgers directly")
    command.add_argument("--rate", type=float, default=50.0, help="orders a second")
    options = parser.parse_args()
    try:
        up(options.directory, envoy=not options.no_envoy, rate=options.rate)
    except (RuntimeError, TimeoutError) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
