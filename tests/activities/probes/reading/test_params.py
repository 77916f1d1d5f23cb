"""Addresses: what is accepted can be asked, and only over HTTP, without a password in it."""

from __future__ import annotations

import contextlib

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from activities.probes.reading.params import BaseUrl, Url

PIECES = [
    "http",
    "https",
    "file",
    "://",
    ":",
    "//",
    "@",
    "shop",
    "127.0.0.1",
    "[::1]",
    "[",
    "]",
    "/",
    "?",
    "#",
    "\\",
    "%00",
    "%",
    "\t",
    "é",
    "80",
    "99999",
]


@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(PIECES), max_size=12).map("".join)))
def test_what_is_accepted_can_be_asked(text: str) -> None:
    with contextlib.suppress(ValidationError):
        url = httpx.URL(TypeAdapter(Url).validate_python(text))
        assert url.scheme in {"http", "https"}
        assert url.host
        assert not url.userinfo
        assert httpx.Request("GET", url).url.netloc


@pytest.mark.parametrize(
    ("url", "kept"),
    [("http://p:9090", "http://p:9090"), ("https://p/prometheus/", "https://p/prometheus"), ("http://[::1]:9090/", "http://[::1]:9090")],
)
def test_a_base_url_is_kept_without_its_last_slash(url: str, kept: str) -> None:
    assert TypeAdapter(BaseUrl).validate_python(url) == kept
