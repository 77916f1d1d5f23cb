"""A Temporal of one's own: behind TLS, with a client certificate or an API key, as Temporal's environment configuration says."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import hpack
import pytest

from gameday.errors import Unavailable
from gameday.queues import CONDUCTOR_QUEUE
from tests.rigs.town import Town, town
from worker import connection

pytestmark = pytest.mark.timeout(120)
HEADERS, PADDED, PRIORITY, END_HEADERS = 0x1, 0x8, 0x20, 0x4
"""Of HTTP/2 frames. Source: RFC 9113, 6.2."""


def certificates(folder: Path) -> None:
    """`ca.pem`, and signed by it `server` for 127.0.0.1 and `client`, each `.pem` and `.key`."""
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed (Debian: apt-get install openssl)")
    request = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"]
    signed = {"server": "subjectAltName=IP:127.0.0.1", "client": "extendedKeyUsage=clientAuth"}
    commands = [[*request, "-subj", "/CN=gameday tests", "-keyout", "ca.key", "-out", "ca.pem"]]
    for name, extension in signed.items():
        named = ["-subj", f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem", "-CA", "ca.pem", "-CAkey", "ca.key"]
        commands.append([*request, *named, "-addext", extension, "-addext", "basicConstraints=critical,CA:FALSE"])
    for command in commands:
        subprocess.run(command, cwd=folder, check=True, capture_output=True)


class Gate:
    """TLS before a real Temporal server, as a team's own or the cloud has it. Remembers the headers of each connection's first request."""

    def __init__(self, behind: int, folder: Path, wants_certificate: bool) -> None:
        self.behind, self.requests = behind, list[dict[str, str]]()
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=str(folder / "ca.pem"))
        self.context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self.context.set_alpn_protocols(["h2"])
        self.context.verify_mode = ssl.CERT_REQUIRED if wants_certificate else ssl.CERT_NONE

    async def __aenter__(self) -> Gate:
        self.server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0, ssl=self.context)
        self.port = self.server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self.server.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection("127.0.0.1", self.behind)
        try:
            await asyncio.gather(_pump(reader, back, self._listen), _pump(there, writer, lambda _: None))
        except OSError:
            pass
        finally:
            back.close()
            writer.close()

    def _listen(self, said: bytes) -> None:
        """The first HEADERS frame of a connection, once it is whole."""
        rest = said.removeprefix(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        while len(rest) >= 9:
            length, kind, flags = int.from_bytes(rest[:3]), rest[3], rest[4]
            if kind == HEADERS and len(rest) >= 9 + length:
                assert flags & END_HEADERS and not flags & (PADDED | PRIORITY), "the SDK sends its headers in one plain frame"
                self.requests.append({str(name): str(value) for name, value in hpack.Decoder().decode(rest[9 : 9 + length])})
                return
            rest = rest[9 + length :]


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter, listen: object) -> None:
    said = b""
    while data := await source.read(65_536):
        if callable(listen) and len(said) < 65_536:
            said += data
            listen(said)
        target.write(data)
        await target.drain()
    target.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("certificates")
    certificates(made)
    return made


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Town]:
    async with town(tmp_path / "home", "temporal") as built:
        yield built


@pytest.mark.parametrize("mutual", [False, True], ids=["TLS", "a client certificate"])
async def test_behind_tls(place: Town, folder: Path, monkeypatch: pytest.MonkeyPatch, mutual: bool) -> None:
    async with Gate(place.port, folder, wants_certificate=mutual) as gate:
        monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{gate.port}")
        monkeypatch.setenv("TEMPORAL_TLS_SERVER_CA_CERT_PATH", str(folder / "ca.pem"))
        if mutual:
            with pytest.raises(Unavailable, match="does not answer"):
                await connection.connect(place.home, patience=0)
            monkeypatch.setenv("TEMPORAL_TLS_CLIENT_CERT_PATH", str(folder / "client.pem"))
            monkeypatch.setenv("TEMPORAL_TLS_CLIENT_KEY_PATH", str(folder / "client.key"))
        client = await connection.connect(place.home, patience=10)
        assert (await client.count_workflows()).count == 0


async def test_a_server_that_nobody_vouches_for_is_not_talked_to(place: Town, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with Gate(place.port, folder, wants_certificate=False) as gate:
        monkeypatch.setenv("TEMPORAL_ADDRESS", f"127.0.0.1:{gate.port}")
        monkeypatch.setenv("TEMPORAL_API_KEY", "not-for-strangers")
        with pytest.raises(Unavailable) as refused:
            await connection.connect(place.home, patience=0)
        assert "check TEMPORAL_ADDRESS and its TLS and key" in str(refused.value) and "not-for-strangers" not in str(refused.value)
        assert not gate.requests


async def test_an_api_key_goes_with_every_request_and_into_no_log(place: Town, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A day is played through it: by starter, conductor and agent, which all read the same configuration."""
    async with Gate(place.port, folder, wants_certificate=False) as gate:
        configuration = {"TEMPORAL_ADDRESS": f"127.0.0.1:{gate.port}", "TEMPORAL_API_KEY": "s3cret-k3y"}
        configuration["TEMPORAL_TLS_SERVER_CA_CERT_PATH"] = str(folder / "ca.pem")
        place.environment |= configuration
        place.start("worker", "agent")
        for name, value in configuration.items():
            monkeypatch.setenv(name, value)
        client = await connection.connect(place.home, patience=10)
        made = place.day(length="300ms")
        await client.start_workflow("GameDay", made, id=made.run_id, task_queue=CONDUCTOR_QUEUE)
        await place.until(lambda: place.has_ended(made.run_id), "the day has ended")
    assert len(gate.requests) >= 3
    assert {request["authorization"] for request in gate.requests} == {"Bearer s3cret-k3y"}
    assert place.record(made.run_id).outcome == "passed"
    for log in place.home.glob("*.log"):
        assert "s3cret-k3y" not in log.read_text()
