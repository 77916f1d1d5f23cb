"""What the tests of the deployment share: a PostgreSQL, a Temporal, a Docker engine; each skips by name where it cannot be had."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

import pytest

from tests.rigs import database


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "docker: builds and starts the image; leave out with -m 'not docker'")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL server."""
    with database.running() as address:
        yield address


@pytest.fixture
def new_store_url(postgresql: str, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """Makes an empty database, and returns its URL as the compose file writes it: the password is in PGPASSWORD."""
    monkeypatch.setenv("PGPASSWORD", database.PASSWORD)

    def make() -> str:
        name = f"gameday_{secrets.token_hex(4)}"
        with database.connect(postgresql) as connection:
            connection.execute(f"create database {name}")
        return f"postgresql+psycopg://admin@{postgresql}/{name}"

    return make
