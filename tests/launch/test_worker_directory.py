"""The directory of a worker, and what killed workers leave behind."""

from __future__ import annotations

import fcntl
import subprocess
import sys
from typing import TYPE_CHECKING

from concurrent_framework.launch.worker_directory import worker_directory

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

STAYS = """
import sys
from concurrent_framework.launch.worker_directory import worker_directory
with worker_directory() as directory:
    print(directory, flush=True)
    sys.stdin.read()
"""


def test_what_killed_workers_left_is_removed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    (tmp_path / "concurrent-worker-being-made").mkdir()
    (tmp_path / "mine").mkdir()
    others = [
        subprocess.Popen(
            [sys.executable, "-c", STAYS],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    killed, alive = others
    with killed, alive:
        places = [tmp_path / str(one.stdout.readline()).strip() for one in others if one.stdout]
        (places[0] / "scratch").mkdir()
        (places[0] / "scratch" / "file").write_text("x", encoding="utf-8")
        killed.kill()
        killed.wait()
        with worker_directory() as directory:
            assert [place.exists() for place in places] == [False, True]
            assert directory.parent == tmp_path
        assert not directory.exists()
    assert sorted(one.name for one in tmp_path.iterdir()) == [
        "concurrent-worker-being-made",
        "mine",
    ]


def test_a_worker_that_starts_spares_one_that_is_starting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    lock = fcntl.flock
    others = [worker_directory()]

    def lock_late(file: int, how: int) -> None:
        if others:
            with others.pop():
                lock(file, how)
        else:
            lock(file, how)

    monkeypatch.setattr("fcntl.flock", lock_late)
    with worker_directory() as directory:
        assert not others
        assert directory.exists()
    assert not list(tmp_path.iterdir())
