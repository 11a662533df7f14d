"""Files and directories that nobody else can reach."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.model.errors import UsageError
from concurrent_framework.security.private import (
    check_private,
    locked,
    make_private,
    read_private,
    write_private,
)

if TYPE_CHECKING:
    from pathlib import Path

ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def test_a_directory_is_made_with_its_parents(tmp_path: Path) -> None:
    directory = tmp_path / "a" / "b"
    make_private(directory)
    make_private(directory)
    assert directory.stat().st_mode & 0o777 == 0o700


def test_a_loose_umask_changes_nothing(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        make_private(tmp_path / "private")
        write_private(tmp_path / "private" / "file", b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "private" / "file").stat().st_mode & 0o777 == 0o600


def test_a_file_instead_of_the_directory(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="must be a directory"):
        make_private(tmp_path / "file")
    with pytest.raises(UsageError, match="cannot create the directory"):
        make_private(tmp_path / "file" / "below")


def test_a_link_instead_of_the_directory(tmp_path: Path) -> None:
    make_private(tmp_path / "real")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(UsageError, match="must be a directory"):
        make_private(tmp_path / "link")


@ROOT_ONLY
def test_a_directory_of_somebody_else(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir(mode=0o700)
    os.chown(tmp_path / "theirs", 12345, -1)
    with pytest.raises(UsageError, match=r"belongs to another user \(uid 12345\)"):
        check_private(tmp_path / "theirs")


@ROOT_ONLY
def test_a_file_of_somebody_else(tmp_path: Path) -> None:
    write_private(tmp_path / "theirs", b"trust me")
    os.chown(tmp_path / "theirs", 12345, -1)
    with pytest.raises(UsageError, match=r"belongs to another user \(uid 12345\)"):
        read_private(tmp_path / "theirs")


def test_a_directory_instead_of_the_file(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir(mode=0o700)
    with pytest.raises(UsageError, match="is no ordinary file"):
        read_private(tmp_path / "directory")


def test_writing_replaces_at_once_and_leaves_nothing_else(tmp_path: Path) -> None:
    write_private(tmp_path / "file", b"old")
    with (tmp_path / "file").open("rb") as old:
        write_private(tmp_path / "file", b"new")
        assert old.read() == b"old"
    assert read_private(tmp_path / "file") == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_write_that_fails_leaves_the_old_content(tmp_path: Path) -> None:
    (tmp_path / "file").mkdir()
    with pytest.raises(UsageError, match="cannot write"):
        write_private(tmp_path / "file", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_lock_keeps_others_out(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import sys
        from pathlib import Path
        from concurrent_framework.security.private import locked
        place = Path(sys.argv[1])
        print("waiting", flush=True)
        with locked(place):
            print((place / "mark").exists(), flush=True)
        """
    )
    with locked(tmp_path):
        other = subprocess.Popen(
            [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
        )
        assert other.stdout is not None
        assert other.stdout.readline() == "waiting\n"
        (tmp_path / "mark").touch()
    assert other.communicate(timeout=20)[0] == "True\n"


def test_a_process_forked_meanwhile_does_not_keep_the_lock(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with locked(tmp_path):
        child = os.fork()
        if not child:
            os.close(writer)
            os.read(reader, 1)
            os._exit(0)
    another = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(another, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(another)
        os.close(writer)
        os.close(reader)
        assert os.waitpid(child, 0) == (child, 0)
