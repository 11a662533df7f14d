"""What keeps the suite quick, whatever it tests: less code that travels, and less for the collector."""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

import pytest
from _pytest.assertion.rewrite import AssertionRewritingHook

from concurrent_framework.code import collect

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

PACKAGE = "tests"


@pytest.hookimpl(wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Run one more test at a time than there are cores: many wait for a lease or another process."""
    return (yield) + 1


def pytest_configure() -> None:
    """Let nodes that are forked from here import test files as workers do, asserts as they are.

    Rewriting those of a file that has just arrived took most of the time until its first task.
    """
    os.register_at_fork(after_in_child=_rewrite_no_asserts)


def _rewrite_no_asserts() -> None:
    sys.meta_path[:] = [
        finder for finder in sys.meta_path if not isinstance(finder, AssertionRewritingHook)
    ]


def pytest_collection_finish() -> None:
    """Leave what was collected, some hundred thousand objects that stay, to no more collections."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def _light_bundles() -> Iterator[None]:
    """Have an application of a test take no test files of other folders along.

    All of `tests` is one package, which travels whole: its 250 files would be packed for each
    application and unpacked for each host.
    """
    package_files = collect._package_files

    def near(top: str, name: str) -> Iterator[collect._File]:
        here = os.environ.get("PYTEST_CURRENT_TEST", "").rpartition("/")[0] + "/"
        for file in package_files(top, name):
            is_far = name == PACKAGE and not file.name.startswith(here)
            if not (is_far and os.path.basename(file.name).startswith("test_")):
                yield file

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(collect, "_package_files", near)
        yield
