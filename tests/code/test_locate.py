from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from concurrent_framework import Task
from concurrent_framework.code.locate import find_local, is_importable, loaded_local_modules
from concurrent_framework.code.origins import original_path

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "name", ["os", "sys", "json", "pytest", "concurrent_framework", "__main__", "not.there", "nope"]
)
def test_what_is_installed_or_missing_is_not_local(name: str) -> None:
    assert find_local(name) is None


def test_modules_on_the_path_are_local_and_need_not_be_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lonesome.py").write_text("raise RuntimeError")
    (tmp_path / "grouped").mkdir()
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "bought.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path / "site-packages")
    monkeypatch.syspath_prepend(tmp_path)
    lonesome, grouped = find_local("lonesome"), find_local("grouped")
    assert lonesome is not None
    assert lonesome.file == str(tmp_path / "lonesome.py")
    assert grouped is not None
    assert grouped.folders == (str(tmp_path / "grouped"),)
    assert find_local("bought") is None
    assert "lonesome" not in loaded_local_modules()


def test_this_test_is_a_loaded_local_module() -> None:
    assert __name__.partition(".")[0] in loaded_local_modules()


def test_odd_objects_in_place_of_modules_are_not_local(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd:
        def __getattr__(self, name: str) -> object:
            raise RuntimeError(name)

    class File:
        __file__ = 3

    monkeypatch.setitem(sys.modules, "odd", Odd())
    monkeypatch.setitem(sys.modules, "file", File())
    monkeypatch.setitem(sys.modules, "blocked", None)
    assert [find_local(name) for name in ("odd", "file", "blocked")] == [None] * 3


def test_importable_is_what_is_found_under_its_own_name() -> None:
    class Local: ...

    assert is_importable(Task)
    assert not is_importable(Local)
    assert not is_importable(type("Task", (), {"__module__": Task.__module__}))


def test_files_of_bundles_have_their_original_names(tmp_path: Path) -> None:
    bundle = tmp_path / ("0" * 64)
    bundle.mkdir()
    (bundle / ".origins").write_text("tool.py\t/home/a/tool.py\nkit\t/home/a b/kit\n")
    assert original_path(str(bundle / "tool.py")) == "/home/a/tool.py"
    assert original_path(str(bundle / "kit" / "in" / "part.py")) == "/home/a b/kit/in/part.py"
    assert original_path(str(bundle / "else.py")) == str(bundle / "else.py")
    assert original_path("/usr/lib/x.py") == "/usr/lib/x.py"
    assert original_path(str(tmp_path / ("1" * 64) / "x.py")).endswith("x.py")
