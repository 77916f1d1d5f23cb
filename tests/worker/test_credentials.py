"""Credentials that end before the faults do are said before anything is put on."""

from __future__ import annotations

import base64
import json
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.service import ConnectConfig, TLSConfig

from activities.record import Targets
from gameday.orders import FaultQuestion, SelectOrder
from gameday.playbook import Target
from gameday.settings import Settings
from tests.worker.test_another_temporal import certificates
from worker import credentials

NOW = datetime.now(UTC)


def token(claims: object) -> str:
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, claims, {}))


@pytest.mark.parametrize(
    ("key", "ends"),
    [
        (token({"exp": 1_800_000_000}), datetime(2027, 1, 15, 8, tzinfo=UTC)),
        (token({"sub": "me"}), None),
        (token([]), None),
        (token({"exp": 1e300}), None),
        ("an.opaque.key", None),
        ("opaque", None),
        (None, None),
    ],
)
def test_an_api_key_ends_when_it_says_so(key: str | None, ends: datetime | None) -> None:
    found = credentials.of(ConnectConfig(target_host="127.0.0.1:1", api_key=key))
    assert [each.ends for each in found] == ([ends] if ends else []) and all(key not in str(each) for each in found if key)


def test_a_client_certificate_ends_with_the_first_of_its_chain(tmp_path: Path) -> None:
    certificates(tmp_path)
    chain = (tmp_path / "client.pem").read_bytes() + (tmp_path / "ca.pem").read_bytes()
    said = subprocess.run(["openssl", "x509", "-enddate", "-noout", "-in", "client.pem"], cwd=tmp_path, check=True, capture_output=True, text=True)
    ends = datetime.strptime(said.stdout.strip().removeprefix("notAfter="), "%b %d %H:%M:%S %Y GMT").replace(tzinfo=UTC)
    (found,) = credentials.of(ConnectConfig(target_host="127.0.0.1:1", tls=TLSConfig(client_cert=chain, client_private_key=b"")))
    assert abs(found.ends - ends) <= timedelta(seconds=5)  # the two were signed one after the other
    assert not credentials.of(ConnectConfig(target_host="127.0.0.1:1", tls=True))


@pytest.mark.parametrize(("after", "refused"), [(timedelta(minutes=5), True), (timedelta(hours=2), False)])
async def test_a_conductor_whose_key_ends_before_the_faults_do_refuses(after: timedelta, refused: bool) -> None:
    async def versions() -> dict[str, str]:
        return {}

    async def lives(_: str) -> bool:
        return True

    known = credentials.of(ConnectConfig(target_host="127.0.0.1:1", api_key=token({"exp": (NOW + after).timestamp()})))
    question = FaultQuestion(name="frozen", kind="process.pause", on=Target(host="local", process="x"))
    order = SelectOrder(faults=(question,), seed=1, until=NOW + timedelta(hours=1))
    problems = (await Targets(Settings.model_construct(host="local", hosts={}, environment=None), versions, lives, known).select(order)).problems
    assert bool(problems) is refused
    if refused:
        assert problems[0].startswith("the conductor: the API key for Temporal ends at ") and problems[0].endswith("; renew it first")
