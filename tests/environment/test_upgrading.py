"""Upgrades: a backup first, all steps or none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.environment import Environment, backup, upgrade, verify_backup
from concurrent_framework.environment.lock import locked
from concurrent_framework.model.errors import ConcurrentError, UsageError
from tests.environment.conftest import open_plain

if TYPE_CHECKING:
    from concurrent_framework.environment.layout import Layout


def first(layout: Layout) -> None:
    (layout.data / "first").touch()


def second(layout: Layout) -> None:
    assert (layout.data / "first").exists()
    (layout.data / "old").rename(layout.data / "new")


def failing(layout: Layout) -> None:
    (layout.data / "old").unlink()
    (layout.root / "extra").mkdir()
    raise RuntimeError("no idea")


@pytest.fixture
def old(lab: Environment) -> Environment:
    (lab.layout.data / "old").write_text("kept", encoding="utf-8")
    return lab


def test_an_environment_of_this_version_is_left_alone(old: Environment) -> None:
    assert upgrade(old) is None
    assert os.listdir(old.layout.backups) == []


def test_steps_are_taken_in_turn_after_a_backup(old: Environment) -> None:
    saved = upgrade(old, steps={1: first, 2: second}, version=3)
    assert saved is not None
    assert "data/old" in verify_backup(saved).files
    assert (old.layout.data / "new").read_text(encoding="utf-8") == "kept"
    assert open_plain(old.layout.root, check=False).version == 3
    assert "# The configuration" in old.layout.config.read_text(encoding="utf-8")


def test_a_step_that_fails_leaves_the_environment_as_it_was(old: Environment) -> None:
    earlier = backup(old)
    with pytest.raises(ConcurrentError, match=r"from version 2: no idea; it is as it was, and sa"):
        upgrade(old, steps={1: first, 2: failing}, version=3)
    assert (old.layout.data / "old").read_text(encoding="utf-8") == "kept"
    assert not (old.layout.data / "first").exists()
    assert not (old.layout.root / "extra").exists()
    assert open_plain(old.layout.root).version == 1
    assert earlier.exists()
    assert os.listdir(old.layout.run) == ["lock"]


def test_a_newer_environment_is_refused(old: Environment) -> None:
    text = old.layout.config.read_text(encoding="utf-8")
    old.layout.config.write_text(text.replace("version = 1", "version = 7"), encoding="utf-8")
    newer = open_plain(old.layout.root, check=False)
    with pytest.raises(
        UsageError, match=r"is of version 7, .* \(it knows up to 1\): install a new"
    ):
        upgrade(newer)


def test_an_environment_in_use_is_not_upgraded(old: Environment) -> None:
    with locked(old.layout, "running"), pytest.raises(UsageError, match="is in use"):
        upgrade(old, steps={1: first}, version=2)
    assert os.listdir(old.layout.backups) == []
