"""Code that came from elsewhere lies in a directory that does not outlive who unpacked it."""

from __future__ import annotations

import gc
import hashlib
import tempfile
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.application.classes import ForeignClasses
from concurrent_framework.model.spec import CodeBlob

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def unpacking() -> ForeignClasses:
    classes = ForeignClasses()
    classes.learn((), (CodeBlob(hashlib.sha256(b"code").hexdigest(), "pickle", b"code"),))
    return classes


def test_a_temporary_directory_goes_when_it_is_closed(place: Path) -> None:
    classes = unpacking()
    assert len(list(place.iterdir())) == 1
    classes.close()
    classes.close()
    assert not list(place.iterdir())


def test_a_temporary_directory_goes_with_who_is_forgotten_without_closing(place: Path) -> None:
    classes = unpacking()
    assert len(list(place.iterdir())) == 1
    del classes
    gc.collect()
    assert not list(place.iterdir())
