"""Requests through a real Envoy are delayed and answered with an error, by its runtime."""

from __future__ import annotations

import http.client
import json
import subprocess
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from activities.injectors.http_fault import HttpFault
from activities.operators import Operators
from demo.proxy import find_envoy
from gameday.playbook import Target
from gameday.settings import EnvoySettings, HostSettings
from tests.rigs.lab import Rig, rig, until

BARE = """
admin: {address: {socket_address: {address: 127.0.0.1, port_value: 0}}}
layered_runtime: {layers: [{name: static, static_layer: {}}, {name: admin, admin_layer: {}}]}
"""
TYPE = "type.googleapis.com/envoy.extensions.filters"
LISTENERS = f"""
static_resources:
  listeners:
    - name: shop
      address: {{socket_address: {{address: 127.0.0.1, port_value: 0}}}}
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                "@type": {TYPE}.network.http_connection_manager.v3.HttpConnectionManager
                stat_prefix: shop
                http_filters:
                  - name: envoy.filters.http.fault
                    typed_config:
                      "@type": {TYPE}.http.fault.v3.HTTPFault
                      delay: {{fixed_delay: 0.001s, percentage: {{numerator: 0}}}}
                      abort: {{http_status: 500, percentage: {{numerator: 0}}}}
                  - {{name: envoy.filters.http.router, typed_config: {{"@type": {TYPE}.http.router.v3.Router}}}}
                route_config:
                  virtual_hosts:
                    - {{name: shop, domains: ["*"], routes: [{{match: {{prefix: /}}, direct_response: {{status: 200}}}}]}}
"""


class Gateway(Rig):
    """A real Envoy, whose runtime has an override that is not gameday's."""

    kind = "http.fault"
    listeners = LISTENERS
    params: ClassVar[dict[str, Any]] = {"delay": "300ms", "abort": 503, "percent": 50}
    bad_params = ({}, {"delay": "0s"}, {"abort": 200}, {"delay": "1s", "percent": 0})

    def __init__(self, folder: Path) -> None:
        program = find_envoy()
        if program is None:
            pytest.skip("hardware: there is no Envoy wheel for it")
        super().__init__(folder)
        config = folder / "envoy.yaml"
        config.write_text(BARE + self.listeners)
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

    def requests(self, number: int) -> tuple[Counter[int], float]:
        """The statuses of so many requests through its listener, and how long the slowest took (s)."""
        listeners = json.loads(self._ask("GET", "/listeners?format=json"))["listener_statuses"]
        port = listeners[0]["local_address"]["socket_address"]["port_value"]
        statuses: Counter[int] = Counter()
        slowest = 0.0
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        for _ in range(number):
            began = time.monotonic()
            connection.request("GET", "/")
            answer = connection.getresponse()
            answer.read()
            statuses[answer.status] += 1
            slowest = max(slowest, time.monotonic() - began)
        connection.close()
        return statuses, slowest


EVERYBODY = {"delay": "200ms", "abort": 429}
SOME = {"abort": 503, "percent": 40}


@pytest.fixture
def gateway(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gateway]:
    with rig(Gateway, tmp_path / "rig") as built:
        built.params = request.param  # type: ignore[misc]  # of this one only
        yield built


@pytest.mark.parametrize("gateway", [EVERYBODY], indirect=True)
async def test_every_request_waits_and_is_answered_with_the_status_until_it_is_taken_off(gateway: Gateway, operators: Operators) -> None:
    assert gateway.requests(3)[0] == {200: 3}
    await operators.perform(gateway.order("f-all"))
    found = gateway.requests(1)  # a listener's worker hears of a new value a moment later
    statuses, slowest = gateway.requests(3)
    assert statuses == {429: 3} and slowest >= 0.2, found
    await operators.revert({"f-all": "the test is over"})
    gateway.requests(1)
    assert gateway.requests(3)[0] == {200: 3}


@pytest.mark.parametrize("gateway", [SOME], indirect=True)
async def test_only_its_share_of_the_requests_is_answered_with_the_status(gateway: Gateway, operators: Operators) -> None:
    await operators.perform(gateway.order("f-some"))
    gateway.requests(1)
    statuses, _ = gateway.requests(1000)
    assert set(statuses) == {200, 503}
    assert 300 < statuses[503] < 500, "40 % of 1000, give or take six standard deviations"
    await operators.revert({"f-some": "the test is over"})


def test_an_envoy_without_a_fault_filter_is_refused_before_anything_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gateway, "listeners", "")
    with rig(Gateway, tmp_path / "rig") as bare:
        (problem,) = HttpFault().preflight(HttpFault.Params.model_validate(bare.params), bare.target, bare.host)
    assert "has no HTTP fault filter, so the fault would do nothing" in problem
