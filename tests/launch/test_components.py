"""The components of a process: built in, installed, brought along."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from concurrent_framework import ApplicationNode, IApp, Option, implements
from concurrent_framework.components import PluginProblem
from concurrent_framework.config import Config
from concurrent_framework.launch.components import components_for, report_on_stderr
from concurrent_framework.model.errors import UsageError
from concurrent_framework.scheduling.base import ITaskScheduler

if TYPE_CHECKING:
    from pathlib import Path


class Survey(ApplicationNode):
    implements(IApp)
    depth = Option("survey", "depth", default=1)


def config(*settings: str) -> Config:
    return Config.load(settings=settings)


def test_what_is_built_in_is_known_by_name() -> None:
    assert components_for(Config()).names(ITaskScheduler) == ["push", "pull"]


@pytest.mark.parametrize(
    "setting", ["master.lease=5", "worker.executors=2", "application.weight=2", "survey.depth=3"]
)
def test_options_of_every_part_are_known(setting: str) -> None:
    components = components_for(config(setting), Survey)
    assert components.names(IApp) == ["master", "worker", "survey"]


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("master.leese=5", "did you mean master.lease?"),
        ("survey.depth=deep", "survey.depth = deep: expected a whole number"),
        ("servey.depth=3", r"there is no section \[servey\]; did you mean \[survey\]"),
    ],
)
def test_wrong_settings_are_told(setting: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        components_for(config(setting), Survey)


def test_a_node_leaves_the_applications_settings_alone() -> None:
    components_for(config("survey.depth=deep"), unknown=False)


def test_broken_plugins_are_told_on_stderr(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "survey_plugin.py").write_text("1 / 0", encoding="utf-8")
    components_for(Config(), plugins=tmp_path)
    told = capsys.readouterr().err
    assert "cannot be imported: ZeroDivisionError: division by zero\nTraceback" in told
    report_on_stderr(PluginProblem("x", "is odd"))
    assert capsys.readouterr().err == "error: plug-in x is odd\n"
