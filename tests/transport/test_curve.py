"""A master's keys on disk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from concurrent_framework.model.errors import UsageError
from concurrent_framework.transport.curve import is_key, load_keys, new_keys, server_keys

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def keys_directory(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_keys_are_made_once(keys_directory: Path) -> None:
    made = server_keys(keys_directory)
    assert server_keys(keys_directory) == made
    assert load_keys(keys_directory) == made
    assert is_key(made.public)
    assert keys_directory.stat().st_mode & 0o777 == 0o700
    assert (keys_directory / "server.key").stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in keys_directory.iterdir()) == ["server.key", "server.pub"]


def test_printing_keys_hides_the_secret() -> None:
    keys = new_keys()
    assert keys.secret not in f"{keys} {keys!r}"
    assert keys.public in repr(keys)


def test_no_keys(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load_keys(tmp_path)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_key_that_others_can_read(keys_directory: Path, mode: int) -> None:
    server_keys(keys_directory)
    path = keys_directory / "server.key"
    path.chmod(mode)
    with pytest.raises(UsageError, match=rf"{path} is open to other users \(mode {mode:o}\): run"):
        server_keys(keys_directory)


def test_a_directory_that_others_can_enter(keys_directory: Path) -> None:
    keys_directory.mkdir(mode=0o755)
    with pytest.raises(UsageError, match="run `chmod 700"):
        server_keys(keys_directory)


@pytest.mark.parametrize("content", [b"", b"short", b"~" * 40, b"\xff" * 40, b"x" * 80])
@pytest.mark.parametrize("name", ["server.key", "server.pub"])
def test_damaged_files(keys_directory: Path, name: str, content: bytes) -> None:
    server_keys(keys_directory)
    (keys_directory / name).write_bytes(content)
    with pytest.raises(UsageError, match=f"{name} is damaged: restore it"):
        server_keys(keys_directory)


def test_halves_that_do_not_fit(keys_directory: Path) -> None:
    server_keys(keys_directory)
    (keys_directory / "server.pub").write_text(new_keys().public)
    with pytest.raises(UsageError, match="is not the public half of"):
        server_keys(keys_directory)


def test_a_missing_public_half_follows_from_the_secret(keys_directory: Path) -> None:
    made = server_keys(keys_directory)
    (keys_directory / "server.pub").unlink()
    assert server_keys(keys_directory) == made


def test_a_start_that_was_interrupted(keys_directory: Path) -> None:
    made = server_keys(keys_directory)
    (keys_directory / "server.key").unlink()
    assert server_keys(keys_directory) != made


def test_a_link_instead_of_the_file(keys_directory: Path, tmp_path: Path) -> None:
    server_keys(keys_directory)
    path = keys_directory / "server.key"
    path.rename(tmp_path / "elsewhere")
    path.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="cannot read"):
        server_keys(keys_directory)
