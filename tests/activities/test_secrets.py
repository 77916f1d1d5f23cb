"""References to secrets: what can be looked up, and that nothing is ever said of a value."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from activities.secrets import SecretMissing, check, reveal


def test_references_are_replaced_wherever_they_stand(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "s3cret")
    (tmp_path / "key").write_text("k3y\r\n")
    assert reveal("plain") == "plain"
    assert reveal("Bearer secret://env/SHOP_TOKEN") == "Bearer s3cret"
    assert reveal(f"secret://file{tmp_path}/key secret://file/{tmp_path}/key") == "k3y k3y"


def test_a_secret_that_looks_like_a_reference_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOP_TOKEN", "secret://env/HOME")
    assert reveal("secret://env/SHOP_TOKEN") == "secret://env/HOME"


def test_what_cannot_be_used_is_named_and_not_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NO_SUCH", raising=False)
    monkeypatch.setenv("EMPTY", "")
    monkeypatch.setenv("LINES", "hush\nhush")
    (tmp_path / "binary").write_bytes(b"hush\xff")
    (tmp_path / "large").write_text("hush" * 20_000)
    os.mkfifo(tmp_path / "pipe")
    references = {
        "secret://env/NO_SUCH": "is not set",
        "secret://env/EMPTY": "is not set",
        "secret://env/LINES": "holds more than one line of text",
        f"secret://file{tmp_path}/none": "cannot be read: No such file or directory",
        f"secret://file{tmp_path}": "is no file",
        f"secret://file{tmp_path}/pipe": "is no file",
        f"secret://file{tmp_path}/binary": "is no UTF-8 text",
        f"secret://file{tmp_path}/large": "is larger than 64 KiB",
    }
    for reference, message in references.items():
        with pytest.raises(SecretMissing) as raised:
            reveal(reference)
        assert str(raised.value) == f"{reference} {message}"
        assert raised.value.__cause__ is None


@pytest.mark.parametrize("text", ["", "plain", "secret://env/A", "Bearer secret://env/A_1", "secret://file/run/secrets/x"])
def test_good_references_pass_unread(text: str) -> None:
    assert check(text) == text


@pytest.mark.parametrize("text", ["secret://", "secret://env", "secret://env/", "secret://env/A-B", "secret://vault/x", "x secret://file/"])
def test_bad_references_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"; expected secret://env/NAME or secret://file/PATH$"):
        check(text)


@pytest.mark.parametrize("name", ["GAMEDAY_PAYLOAD_KEY", "GAMEDAY_STORE", "TEMPORAL_API_KEY", "PGPASSWORD"])
def test_what_gameday_itself_is_let_in_with_is_sent_nowhere(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "hush")
    with pytest.raises(ValueError, match="is a secret of gameday's own; expected one of the target's"):
        check(f"Bearer secret://env/{name}")
    with pytest.raises(SecretMissing, match="is a secret of gameday's own") as raised:
        reveal(f"Bearer secret://env/{name}")
    assert "hush" not in str(raised.value)


def test_the_file_with_the_keys_is_sent_nowhere_by_whatever_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("hush")
    (tmp_path / "link").symlink_to("keys")
    (tmp_path / "other").write_text("shop")
    monkeypatch.setenv("GAMEDAY_PAYLOAD_KEY_FILE", str(tmp_path / "keys"))
    for name in ("keys", "link", f"../{tmp_path.name}/keys"):
        with pytest.raises(SecretMissing, match="is a secret of gameday's own"):
            reveal(f"secret://file{tmp_path}/{name}")
    assert reveal(f"secret://file{tmp_path}/other") == "shop"
