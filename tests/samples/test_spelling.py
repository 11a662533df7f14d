from __future__ import annotations

from pathlib import Path

import pytest

from concurrent_framework.samples.spelling import command


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    program = tmp_path / ".venv/bin/concurrent"
    program.parent.mkdir(parents=True)
    program.touch(mode=0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", [str(program), "demo"])
    return program


def test_a_command_on_the_path_is_typed_by_its_name(
    program: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(program.parent))
    assert command() == "concurrent"


@pytest.mark.parametrize("path", ["/usr/bin", ""])
def test_one_that_is_not_is_typed_by_its_place(
    program: Path, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", path)
    assert command() == ".venv/bin/concurrent"


def test_another_one_on_the_path_is_not_taken_for_it(
    program: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other/concurrent"
    other.parent.mkdir()
    other.touch(mode=0o755)
    monkeypatch.setenv("PATH", str(other.parent))
    assert command() == ".venv/bin/concurrent"


def test_a_program_of_another_name_says_nothing_of_the_command(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.argv", ["my_program.py"])
    assert command() == "concurrent"
