"""Requests through a real Envoy are delayed and answered with an error, by its runtime."""

from __future__ import annotations

import json
import subprocess
import urllib.request
from pathlib import Path
from typing import Any, ClassVar

import pytest

from demo.proxy import find_envoy
from gameday.playbook import Target
from gameday.settings import EnvoySettings, HostSettings
from tests.rigs.lab import Rig, until


class Gateway(Rig):
    """A real Envoy, whose runtime has an override that is not gameday's."""

    kind = "http.fault"
    params: ClassVar[dict[str, Any]] = {"delay": "300ms", "abort": 503, "percent": 50}
    bad_params = ({}, {"delay": "0s"}, {"abort": 200}, {"delay": "1s", "percent": 0})

    def __init__(self, folder: Path) -> None:
        program = find_envoy()
        if program is None:
            pytest.skip("no Envoy wheel for this kind of machine")
        super().__init__(folder)
        config = folder / "envoy.yaml"
        config.write_text(
            "admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}\n"
            "layered_runtime: {layers: [{name: static, static_layer: {}}, {name: admin, admin_layer: {}}]}\n"
        )
        address = folder / "address"
        options = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "off"]
        self.process = subprocess.Popen([str(program), "-c", str(config), "--admin-address-path", str(address), *options])
        until(lambda: address.exists() and ":" in address.read_text())
        self.admin = address.read_text()
        self._ask("POST", "/runtime_modify?fault.http.abort.http_status=500&somebody.elses=1")

    def _ask(self, method: str, path: str) -> bytes:
        with urllib.request.urlopen(urllib.request.Request(f"http://{self.admin}{path}", method=method), timeout=5) as answer:
            body: bytes = answer.read()
        return body

    def settings(self) -> HostSettings:
        return HostSettings(envoys={"gateway": EnvoySettings(admin=self.admin)})

    def on(self) -> Target:
        return Target(host="local", envoy="gateway")

    def look(self) -> object:
        entries = json.loads(self._ask("GET", "/runtime?format=json"))["entries"]
        return {key: entry["final_value"] for key, entry in entries.items() if entry["final_value"]}

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
