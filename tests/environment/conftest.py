"""Environments to test with; each leaves the interpreter as it found it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path

import pytest

from concurrent_framework.environment import Environment, create
from tests.forgetting import imports_forgotten

SmallDisk = Callable[[int], AbstractContextManager[None]]

open_plain = partial(Environment.open, installed=False)
"""Opens an environment without looking for installed plug-ins, which are none of these tests'."""


@pytest.fixture(autouse=True)
def _forget_plugins(tmp_path: Path) -> Iterator[None]:
    """Leave the interpreter as if the plug-ins of the test had never been imported."""
    with imports_forgotten(tmp_path):
        yield


@pytest.fixture
def lab(tmp_path: Path) -> Environment:
    return create(tmp_path / "lab", app="probe", opener=open_plain)


@pytest.fixture
def plug(lab: Environment) -> Callable[[str], Environment]:
    """Put a plug-in into the environment and open it anew."""

    def plug_in(text: str) -> Environment:
        (lab.layout.plugins / "lab_plugin.py").write_text(text, encoding="utf-8")
        return open_plain(lab.layout.root)

    return plug_in


@pytest.fixture
def forbidden(tmp_path: Path) -> Path:
    """Return a directory in which nothing can be made."""
    if os.geteuid() == 0:
        system = Path("/sys/kernel")
        if not system.is_dir():
            pytest.skip("no file system here that refuses root")
        return system
    folder = tmp_path / "forbidden"
    folder.mkdir(mode=0o555)
    return folder


@pytest.fixture
def small_disk() -> SmallDisk:
    """Let no file grow beyond so many bytes while a block runs, as on a full disk.

    Only then: pytest's own output may go to a file that is larger.
    """
    resource = pytest.importorskip("resource")

    @contextmanager
    def limited(size: int) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited
