"""Where a sample may write its picture."""

from __future__ import annotations

import os
from argparse import ArgumentTypeError
from pathlib import Path

import pytest

from concurrent_framework.samples.picture import png_file


def test_a_file_in_a_directory_that_is_there(tmp_path: Path) -> None:
    assert png_file(str(tmp_path / "a.PNG")) == tmp_path / "a.PNG"
    assert png_file("a.png") == Path("a.png")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("a.jpg", "must end in .png"),
        ("", "must end in .png"),
        ("no/a.png", "there is no directory"),
        ("folder.png", "is a directory"),
    ],
)
def test_what_cannot_be_written_is_refused(name: str, complaint: str, tmp_path: Path) -> None:
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(ArgumentTypeError, match=complaint):
        png_file(str(tmp_path / name))


def test_a_directory_without_permission_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: path != tmp_path)
    with pytest.raises(ArgumentTypeError, match="permission denied"):
        png_file(str(tmp_path / "a.png"))
