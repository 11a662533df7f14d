"""What notebooks show of applications and clusters."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from concurrent_framework import ApplicationNode, IApp, LocalCluster, implements, task
from concurrent_framework.application.notebook import follow, picture, progress_widget
from concurrent_framework.model.errors import UsageError
from tests.cluster.place import until


@task
def one() -> int:
    return 1


class Small(ApplicationNode):
    """Does two things and keeps what it looked like on the way."""

    implements(IApp)
    pictures: tuple[str, ...] = ()
    widget: Any = None

    def start_processing(self) -> None:
        self.push_tasks([one(), one()])
        self.widget = progress_widget(self, 0.01)

    def task_finished(self, task: Any, result: Any, error: Any) -> None:
        self.pictures += (self._repr_html_(),)


def test_text_of_users_is_escaped_and_shares_are_bounded() -> None:
    shown = picture("<b>", "&", {"<i>": "<u>"}, 7.0)
    assert "&lt;b&gt;" in shown
    assert "<u>" not in shown
    assert "width:100%" in shown


def test_an_application_and_its_cluster_show_themselves_and_a_widget_follows() -> None:
    cluster = LocalCluster(workers=1)
    assert "not running" in cluster._repr_html_()
    with cluster:
        until(lambda: "1 executors" in cluster._repr_html_())  # its worker comes a moment later
        small = cluster.run(Small)
        assert "2 outcomes" in cluster._repr_html_()
    assert "not running" in cluster._repr_html_()
    assert "2 finished" in small._repr_html_()
    assert "done" in small._repr_html_()
    assert len(small.pictures) == 2
    shown: list[str] = []
    follow(small, shown.append, 0.0)
    assert len(shown) == 1
    assert "2 finished" in shown[0]
    assert "Small" in small.widget.value


def test_an_application_that_has_not_started_says_so() -> None:
    assert "not started" in Small()._repr_html_()


def test_without_ipywidgets_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ipywidgets", None)
    with pytest.raises(UsageError, match="pip install ipywidgets"):
        progress_widget(Small())
