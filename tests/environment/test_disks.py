"""Environments on a disk that is really full, and on one that is read-only."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.environment import Environment, backup, create, delete, launch, restore
from concurrent_framework.environment.lock import holder_of
from concurrent_framework.environment.settings import change
from concurrent_framework.environment.upgrading import upgrade
from concurrent_framework.model.errors import ConcurrentError
from tests.environment.conftest import open_plain

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="needs root and mount"
)

PROBE = """
from concurrent_framework.components import Component, IApp, implements

class Probe(Component):
    implements(IApp)
    def app_init(self): pass
    def app_main(self): return 7
"""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of half a megabyte."""
    place = tmp_path / "disk"
    place.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)],
        check=False,
        capture_output=True,
    )
    if made.returncode:
        pytest.skip("nothing can be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> None:
    """Leave not a byte."""

    def write_for_ever(size: int) -> None:
        while True:
            file.write(bytes(size))

    with (disk / "ballast").open("ab", buffering=0) as file:
        for size in (65536, 4096, 1):
            with pytest.raises(OSError, match="No space left"):
                write_for_ever(size)


@pytest.fixture
def lab(disk: Path) -> Environment:
    environment = create(disk / "lab", app="probe", opener=open_plain)
    (environment.layout.plugins / "probe_of_disks.py").write_text(PROBE, encoding="utf-8")
    (environment.layout.data / "results").write_bytes(os.urandom(50_000))
    return open_plain(environment.layout.root)


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_create_leaves_nothing(disk: Path) -> None:
    fill(disk)
    with pytest.raises(ConcurrentError, match=r"cannot create .*new: No space left .*; make room"):
        create(disk / "deep" / "new", opener=open_plain)
    assert names(disk) == ["ballast"]


def test_backup_and_restore_leave_nothing(disk: Path, lab: Environment, tmp_path: Path) -> None:
    saved = backup(lab, tmp_path / "saved.tar.gz")
    fill(disk)
    before = names(lab.layout.backups)
    with pytest.raises(ConcurrentError, match=r"cannot write .*: No space left .*; make room"):
        backup(lab)
    assert names(lab.layout.backups) == before
    with pytest.raises(ConcurrentError, match=r"cannot restore .*copy: No space left"):
        restore(saved, disk / "copy", opener=open_plain)
    assert names(disk) == ["ballast", "lab"]


def test_a_change_and_an_upgrade_leave_what_was(disk: Path, lab: Environment) -> None:
    before = lab.layout.config.read_bytes()
    fill(disk)
    with pytest.raises(ConcurrentError, match=r"cannot change .*env.toml: No space left"):
        change(lab.layout, "environment", "name", "x" * 10_000)
    with pytest.raises(ConcurrentError, match="No space left"):
        upgrade(lab, steps={1: lambda _layout: None}, version=2)
    assert lab.layout.config.read_bytes() == before
    assert holder_of(lab.layout) is None


def test_the_application_runs_without_its_log(
    disk: Path, lab: Environment, capsys: pytest.CaptureFixture[str]
) -> None:
    lab.layout.log.write_bytes(b"x" * 4096)
    fill(disk)
    assert launch(lab) == 7
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: cannot write the log ")
    assert "No space left" in line


def test_what_is_full_can_be_deleted(disk: Path, lab: Environment) -> None:
    fill(disk)
    delete(lab)
    assert names(disk) == ["ballast"]


def test_on_a_read_only_disk_everything_says_so_and_looking_works(
    disk: Path, lab: Environment
) -> None:
    content = sorted(disk.rglob("*"))
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    opened = open_plain(lab.layout.root)
    assert opened.describe()
    for change_it in (
        lambda: create(disk / "new", opener=open_plain),
        lambda: launch(opened),
        lambda: backup(opened),
        lambda: change(lab.layout, "environment", "name", "x"),
        lambda: delete(opened),
    ):
        with pytest.raises(ConcurrentError, match=r"cannot .*: Read-only file system .*; the file"):
            change_it()
    assert sorted(disk.rglob("*")) == content
