"""Backups: whole or refused, of running environments too, and never out of their folder."""

from __future__ import annotations

import gzip
import io
import json
import os
import sqlite3
import stat
import tarfile
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.environment import Environment, backup, restore, verify_backup
from concurrent_framework.environment.lock import locked
from concurrent_framework.model.errors import ConcurrentError, UsageError
from tests.environment.conftest import SmallDisk, open_plain

if TYPE_CHECKING:
    from pathlib import Path


def content(root: Path) -> dict[str, bytes | None]:
    return {
        path.relative_to(root).as_posix(): path.read_bytes() if path.is_file() else None
        for path in root.rglob("*")
        if path.relative_to(root).parts[0] not in ("run", "backups")
    }


@pytest.fixture
def full(lab: Environment) -> Environment:
    (lab.layout.data / "deep").mkdir()
    (lab.layout.data / "deep" / "big.bin").write_bytes(os.urandom(3_000_000))
    (lab.layout.data / "empty").mkdir()
    (lab.layout.keys / "server.key").write_text("secret", encoding="utf-8")
    (lab.layout.keys / "server.key").chmod(0o600)
    return lab


@pytest.fixture
def saved(full: Environment) -> Path:
    return backup(full)


def test_what_is_restored_is_what_was_saved(full: Environment, saved: Path, tmp_path: Path) -> None:
    restored = restore(saved, tmp_path / "copy", opener=open_plain)
    assert content(restored.layout.root) == content(full.layout.root)
    assert stat.S_IMODE((restored.layout.keys / "server.key").stat().st_mode) == 0o600
    assert stat.S_IMODE(restored.layout.keys.stat().st_mode) == 0o700
    assert restored.layout.run.is_dir()
    assert restored.title == "lab"


def test_a_backup_is_one_private_file_that_says_what_it_is(full: Environment, saved: Path) -> None:
    assert saved.parent == full.layout.backups
    assert os.listdir(saved.parent) == [saved.name]
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600
    manifest = verify_backup(saved)
    assert (manifest.name, manifest.version) == ("lab", 1)
    assert set(manifest.files) >= {"env.toml", "keys/server.key", "data/deep/big.bin"}
    assert not any(name.startswith(("run/", "backups/")) for name in manifest.files)


def test_a_backup_can_go_anywhere_and_overwrites_nothing(lab: Environment, tmp_path: Path) -> None:
    file = backup(lab, tmp_path / "mine.tar.gz")
    assert file == (tmp_path / "mine.tar.gz").resolve()
    with pytest.raises(UsageError, match=r"mine.tar.gz exists"):
        backup(lab, file)


def test_a_backup_inside_the_environment_leaves_itself_out(lab: Environment) -> None:
    first = backup(lab, lab.layout.data / "own.tar.gz")
    assert "data/own.tar.gz" not in verify_backup(first).files


def test_a_running_environment_can_be_saved(lab: Environment) -> None:
    with locked(lab.layout, "running"):
        verify_backup(backup(lab))


@pytest.mark.parametrize("mode", ["wal", "delete"])
def test_a_database_in_use_is_saved_as_of_one_moment(
    lab: Environment, tmp_path: Path, mode: str
) -> None:
    path = lab.layout.data / "journal.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"pragma journal_mode={mode}")
        database.execute("create table entries (number)")
        database.executemany("insert into entries values (?)", [(n,) for n in range(1000)])
        database.commit()
        database.execute("begin")
        database.execute("insert into entries values (-1)")
        saved = backup(lab)
        assert not any("journal.db-" in name for name in verify_backup(saved).files)
        database.rollback()
    restored = restore(saved, tmp_path / "copy", opener=open_plain)
    with closing(sqlite3.connect(restored.layout.data / "journal.db")) as database:
        assert database.execute("select count(*), min(number) from entries").fetchone() == (1000, 0)
        assert database.execute("pragma integrity_check").fetchone() == ("ok",)


def test_a_damaged_database_is_told_and_nothing_is_left(lab: Environment) -> None:
    (lab.layout.data / "bad.db").write_bytes(b"SQLite format 3\0" + b"\1" * 5000)
    with pytest.raises(ConcurrentError, match=r"cannot copy the database .*bad.db: "):
        backup(lab)
    assert os.listdir(lab.layout.backups) == []


def test_files_beside_something_else_than_a_database_are_saved(lab: Environment) -> None:
    (lab.layout.data / "notes").write_text("x", encoding="utf-8")
    (lab.layout.data / "notes-wal").write_text("y", encoding="utf-8")
    assert "data/notes-wal" in verify_backup(backup(lab)).files


def test_links_are_followed_but_not_in_circles(lab: Environment, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "file").write_text("far", encoding="utf-8")
    (lab.layout.data / "far").symlink_to(elsewhere)
    (lab.layout.data / "circle").symlink_to(lab.layout.root)
    (lab.layout.data / "broken").symlink_to("nowhere")
    os.mkfifo(lab.layout.data / "pipe")
    saved = backup(lab)
    copy = restore(saved, tmp_path / "copy", opener=open_plain).layout
    assert (copy.data / "far" / "file").read_text(encoding="utf-8") == "far"
    assert not (copy.data / "far").is_symlink()
    assert not (copy.data / "pipe").exists()


def test_on_a_full_disk_no_half_backup_is_left(full: Environment, small_disk: SmallDisk) -> None:
    with (
        small_disk(1_000_000),
        pytest.raises(ConcurrentError, match=r"cannot write the backup .*: File too large"),
    ):
        backup(full)
    assert os.listdir(full.layout.backups) == []


def test_on_a_full_disk_nothing_is_half_restored(
    saved: Path, tmp_path: Path, small_disk: SmallDisk
) -> None:
    before = sorted(os.listdir(tmp_path))
    with (
        small_disk(1_000_000),
        pytest.raises(ConcurrentError, match=r"cannot restore .*copy: File too large"),
    ):
        restore(saved, tmp_path / "copy", opener=open_plain)
    assert sorted(os.listdir(tmp_path)) == before


def test_restore_never_overwrites(full: Environment, saved: Path) -> None:
    with pytest.raises(UsageError, match="is an environment already"):
        restore(saved, full.layout.root, opener=open_plain)


def test_a_truncated_backup_is_refused_wherever_it_ends(saved: Path, tmp_path: Path) -> None:
    data = saved.read_bytes()
    torn = tmp_path / "torn.tar.gz"
    for part in (0, 5, 100, len(data) // 3, len(data) // 2, len(data) * 99 // 100):
        torn.write_bytes(data[:part])
        with pytest.raises(UsageError, match=r"is no whole backup: .*; nothing was restored"):
            restore(torn, tmp_path / "copy", opener=open_plain)
    assert sorted(os.listdir(tmp_path)) == ["lab", "torn.tar.gz"]


def test_a_damaged_backup_is_refused(saved: Path, tmp_path: Path) -> None:
    data = bytearray(saved.read_bytes())
    for position in range(2000, len(data) - 2000, len(data) // 7):
        damaged = bytearray(data)
        damaged[position] ^= 0x55
        saved.write_bytes(damaged)
        with pytest.raises(UsageError, match="is no whole backup"):
            verify_backup(saved)


def member(name: str, data: bytes = b"", **attributes: object) -> tuple[tarfile.TarInfo, bytes]:
    made = tarfile.TarInfo(name)
    made.size = len(data)
    for attribute, value in attributes.items():
        setattr(made, attribute, value)
    return made, data


def archive(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return path


@pytest.mark.parametrize(
    ("evil", "message"),
    [
        (member("../evil", b"x"), "a path that leaves the folder"),
        (member("data/../../evil", b"x"), "a path that leaves the folder"),
        (member("/tmp/evil", b"x"), "a path that leaves the folder"),
        (member("..\\evil", b"x"), "a path that leaves the folder"),
        (member("link", type=tarfile.SYMTYPE, linkname="/etc"), "neither file nor folder"),
        (member("link", type=tarfile.LNKTYPE, linkname="../x"), "neither file nor folder"),
        (member("device", type=tarfile.CHRTYPE), "neither file nor folder"),
        (member("MANIFEST.json", b"[]"), "its manifest is of another kind"),
        (member("MANIFEST.json", b"{"), "is no whole backup"),
        (member("MANIFEST.json", b'{"a": 1}'), "its manifest is of another kind"),
        (member("MANIFEST.json", type=tarfile.DIRTYPE), "its manifest is no file"),
        (member("env.toml", b"x"), "its end is missing"),
    ],
)
def test_an_archive_that_is_no_honest_backup_is_refused(
    tmp_path: Path, evil: tuple[tarfile.TarInfo, bytes], message: str
) -> None:
    file = archive(tmp_path / "evil.tar.gz", evil)
    with pytest.raises(UsageError, match=message):
        restore(file, tmp_path / "copy", opener=open_plain)
    assert os.listdir(tmp_path) == ["evil.tar.gz"]
    assert not (tmp_path.parent / "evil").exists()


def manifest(**changes: object) -> tuple[tarfile.TarInfo, bytes]:
    fields = {"format": 1, "name": "x", "version": 1, "created": "", "files": {}}
    return member("MANIFEST.json", json.dumps(fields | changes).encode())


def test_a_backup_of_another_format_or_of_something_else_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a backup of format 2; install a newer version"):
        verify_backup(archive(tmp_path / "a.tar.gz", manifest(format=2)))
    with pytest.raises(UsageError, match="something follows its manifest"):
        verify_backup(archive(tmp_path / "b.tar.gz", manifest(), member("x")))
    with pytest.raises(UsageError, match=r"no backup of an environment: it has no env.toml"):
        restore(archive(tmp_path / "c.tar.gz", manifest()), tmp_path / "copy", opener=open_plain)
    plain = tmp_path / "plain"
    plain.write_bytes(gzip.compress(b"hello"))
    with pytest.raises(UsageError, match="is no whole backup"):
        verify_backup(plain)
    with pytest.raises(UsageError, match="there is no backup"):
        verify_backup(tmp_path / "nowhere")
