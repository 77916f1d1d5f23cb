"""docker-compose.yml against the Compose specification's own schema, and against what docs/deploy.md promises of it.

The schema: schema/compose-spec.json of the Go module github.com/compose-spec/compose-go/v2, v2.16.2 (Apache-2.0), as it was published.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
SCHEMA = json.loads((Path(__file__).parent / "data" / "compose-spec.json").read_text())
CONFIG: dict[str, Any] = yaml.safe_load(COMPOSE.read_text())
SERVICES: dict[str, dict[str, Any]] = CONFIG["services"]
OURS = ("conductor", "agent", "watchdog")
_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?::(?P<kind>[-?])(?P<word>[^}]*))?\}")


def filled(text: str) -> str:
    """The text with each variable's default in its place, as Compose fills it in an empty environment."""
    return _VARIABLE.sub(lambda match: match["word"] if match["kind"] == "-" else "", text)


def test_it_follows_the_compose_specification() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    validator = jsonschema.Draft202012Validator(SCHEMA)
    assert [f"{error.json_path}: {error.message}" for error in validator.iter_errors(CONFIG)] == []
    broken = {**CONFIG, "services": {"agent": {"imagge": "gameday"}}}
    assert not validator.is_valid(broken)  # the schema does refuse


def test_every_service_of_a_team_is_there() -> None:
    assert set(SERVICES) >= {"postgresql", "temporal", "temporal-ui", "conductor", "agent", "watchdog", "prometheus"}


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_published_on_loopback_only(name: str) -> None:
    for port in SERVICES[name].get("ports", []):
        assert isinstance(port, str)
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", filled(port)), port


@pytest.mark.parametrize("name", SERVICES)
def test_images_are_pinned_to_a_version(name: str) -> None:
    image = filled(SERVICES[name]["image"])
    _, _, tag = image.partition(":")
    assert re.search(r"\d", tag), f"{image} has no version"
    assert "latest" not in tag


def test_our_image_has_the_version_of_the_project() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert {filled(SERVICES[name]["image"]) for name in OURS} == {f"gameday:{version}"}


@pytest.mark.parametrize("name", SERVICES)
def test_nothing_is_privileged_or_may_gain_privileges(name: str) -> None:
    service = SERVICES[name]
    assert not service.get("privileged")
    assert "no-new-privileges:true" in service["security_opt"]
    assert not any("docker.sock" in str(volume) for volume in service.get("volumes", []))


def test_our_processes_get_the_least_that_they_need() -> None:
    for name in OURS:
        assert SERVICES[name]["cap_drop"] == ["ALL"]
        assert SERVICES[name]["read_only"] is True
    assert "cap_add" not in SERVICES["conductor"]
    assert "user" not in SERVICES["conductor"]  # the image's, which is not root
    for name in ("agent", "watchdog"):
        assert SERVICES[name]["cap_add"] == ["KILL"]
        assert SERVICES[name]["pid"] == "host"
    reach = {"pid", "network_mode", "cgroup", "userns_mode", "cap_add", "user", "volumes", "environment", "security_opt"}
    assert all(SERVICES["agent"][key] == SERVICES["watchdog"][key] for key in reach)  # what one puts on, the other can take off


def test_who_is_waited_for_can_say_that_it_is_ready() -> None:
    for name, service in SERVICES.items():
        for other, wanted in service.get("depends_on", {}).items():
            if wanted["condition"] == "service_completed_successfully":
                assert SERVICES[other]["restart"].startswith("on-failure"), f"{name} waits for the end of {other}"
            else:
                assert wanted["condition"] == "service_healthy", f"{name} waits for {other} without a check"
                assert "test" in SERVICES[other]["healthcheck"], f"{other} has no health check"


def test_what_runs_for_ever_is_started_again_and_checked() -> None:
    for name, service in SERVICES.items():
        if not service["restart"].startswith("on-failure"):
            assert service["restart"] in ("unless-stopped", "always"), name
            assert "healthcheck" in service, name
    assert SERVICES["agent"]["restart"] == SERVICES["watchdog"]["restart"] == "always"


def test_files_volumes_and_networks_that_it_names_exist() -> None:
    for name, service in SERVICES.items():
        for volume in service.get("volumes", []):
            source, target, *_ = volume.split(":")
            assert target.startswith("/")
            if source.startswith("."):
                assert (ROOT / source).exists(), f"{name}: {source}"
                assert volume.endswith(":ro"), f"{name} may write in {source}"
            else:
                assert source in CONFIG["volumes"], f"{name}: {source}"
        assert set(service.get("networks", [])) <= set(CONFIG["networks"])
        if "build" in service:
            assert (ROOT / service["build"]["context"] / "Dockerfile").is_file()
    assert (ROOT / "deploy/temporal/schema.sh").is_file()
    assert (ROOT / "deploy/temporal/namespace.sh").is_file()


def test_databases_can_be_reached_by_those_who_use_them_only() -> None:
    assert CONFIG["networks"]["store"]["internal"] is True
    assert SERVICES["postgresql"]["networks"] == ["store"]
    assert "ports" not in SERVICES["postgresql"]
    assert {name for name, service in SERVICES.items() if "store" in service.get("networks", [])} == {
        "postgresql",
        "temporal-schema",
        "temporal",
        "conductor",
    }


def test_the_run_store_is_postgresql_and_its_password_is_in_no_url() -> None:
    environment = SERVICES["conductor"]["environment"]
    assert environment["GAMEDAY_STORE"] == "postgresql+psycopg://gameday@postgresql/gameday"
    assert environment["PGPASSWORD"].startswith("${GAMEDAY_DB_PASSWORD:?")
    assert not any("PASSWORD" in key or "STORE" in key for key in SERVICES["agent"]["environment"])


def secrets() -> Iterator[tuple[str, str]]:
    for service in SERVICES.values():
        for key, value in service.get("environment", {}).items():
            if re.search(r"PASSWORD|PWD|SECRET|KEY|TOKEN", key):
                yield key, value


def test_no_password_has_a_default() -> None:
    found = list(secrets())
    assert len(found) >= 6
    for key, value in found:
        match = _VARIABLE.fullmatch(value)
        assert match is not None and match["kind"] == "?", f"{key} must be demanded, not made up"


def test_new_env_makes_every_password_that_is_demanded(tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    shutil.copy(ROOT / "deploy" / "new-env.sh", tmp_path / "deploy")
    command = ["sh", str(tmp_path / "deploy" / "new-env.sh")]

    subprocess.run(command, check=True, cwd="/")

    env = tmp_path / ".env"
    made = dict(line.split("=", 1) for line in env.read_text().splitlines() if not line.startswith("#"))
    demanded = {match["name"] for match in _VARIABLE.finditer(COMPOSE.read_text()) if match["kind"] == "?"}
    assert set(made) == demanded
    assert all(re.fullmatch(r"[0-9a-f]{48}", value) for value in made.values())
    assert len(set(made.values())) == len(made)
    assert env.stat().st_mode & 0o777 == 0o600
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 1
    assert "there already" in again.stderr
    assert dict(line.split("=", 1) for line in env.read_text().splitlines() if not line.startswith("#")) == made


def test_every_other_variable_has_a_default() -> None:
    for match in _VARIABLE.finditer(COMPOSE.read_text()):
        assert match["kind"] in ("-", "?"), match[0]
        assert match["word"], match[0]


def test_stopping_leaves_time_to_take_everything_off() -> None:
    assert SERVICES["agent"]["stop_grace_period"] == "1m"
