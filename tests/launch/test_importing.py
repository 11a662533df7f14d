from __future__ import annotations

import importlib
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.launch.importing import being_imported
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType


def import_text(tmp_path: Path, name: str, text: str, patch: pytest.MonkeyPatch) -> ModuleType:
    (tmp_path / f"{name}.py").write_text(dedent(text), encoding="utf-8")
    patch.syspath_prepend(tmp_path)
    patch.delitem(sys.modules, name, raising=False)
    return importlib.import_module(name)


def test_nothing_is_being_imported_here() -> None:
    assert being_imported() == ""


def test_a_module_that_asks_at_its_top_level(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
        from concurrent_framework.launch.importing import being_imported

        def ask():
            return being_imported()

        ANSWER = ask()
    """
    module = import_text(tmp_path, "asks_at_top_level", text, monkeypatch)
    assert module.ANSWER == "asks_at_top_level"
    assert module.ask() == ""


def test_code_that_is_executed_in_a_copy_of_a_module_is_no_import() -> None:
    names = dict(globals())
    exec("answer = being_imported()", names)
    assert names["answer"] == ""


def test_run_at_the_top_level_of_an_imported_module_runs_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
        from concurrent_framework import ApplicationNode, IApp, implements, run

        class App(ApplicationNode):
            implements(IApp)
            def start_processing(self):
                raise AssertionError

        application = run(App)
    """
    module = import_text(tmp_path, "runs_at_top_level", text, monkeypatch)
    assert type(module.application) is module.App


def test_a_cluster_at_the_top_level_of_an_imported_module_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = """
        from concurrent_framework import LocalCluster

        with LocalCluster():
            pass
    """
    with pytest.raises(UsageError, match=r"while clusters_at_top_level was being imported"):
        import_text(tmp_path, "clusters_at_top_level", text, monkeypatch)
