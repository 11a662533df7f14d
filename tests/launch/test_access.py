"""Where a master without an environment keeps what it needs at its next start."""

from __future__ import annotations

from pathlib import Path

import pytest

from concurrent_framework.launch.access import journal_directory


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CONCURRENT_HOME", str(tmp_path))
    return tmp_path


def test_each_name_has_a_directory_of_its_own(home: Path) -> None:
    assert journal_directory("lab.example") == home / "masters" / "lab.example"
    odd = {
        journal_directory(name) for name in ("a b", "a/b", "a-b", "../a-b", "..", "", "a b" * 90)
    }
    assert len(odd) == 7
    assert all(one.parent == home / "masters" for one in odd)


def test_without_that_variable_it_is_in_the_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONCURRENT_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert journal_directory("lab") == Path("/home/somebody/.concurrent/masters/lab")
