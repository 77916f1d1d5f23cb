"""What the tests of all probes use."""

from tests.rigs.web import closed_port, http

__all__ = ["closed_port", "http"]
