from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from concurrent_framework.launch.locate import AUTO, locate
from concurrent_framework.launch.registry import EMBEDDED, create
from concurrent_framework.model.errors import MasterNotFoundError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _own_registry(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "concurrent_framework.launch.registry.places", lambda: [tmp_path / "concurrent"]
    )


@pytest.mark.parametrize("link", ["", AUTO])
def test_the_master_on_this_machine(link: str) -> None:
    with create("lab") as run:
        assert locate(link).endpoint == run.endpoint


def test_no_master_on_this_machine() -> None:
    with pytest.raises(MasterNotFoundError, match="start one with `concurrent master`"):
        locate("")


def test_the_cluster_of_an_application_is_nobodys_master() -> None:
    with create(EMBEDDED), pytest.raises(MasterNotFoundError, match="no master runs here"):
        locate("")


def test_a_query_may_look_at_the_cluster_of_an_application() -> None:
    with create(EMBEDDED) as run:
        assert locate("", embedded=True).endpoint == run.endpoint


def test_a_master_goes_before_clusters_of_applications() -> None:
    with create(EMBEDDED), create("lab") as run, create(EMBEDDED):
        assert locate("", embedded=True).endpoint == run.endpoint


def test_several_masters_are_told_apart_by_their_links() -> None:
    with create("a") as one, create("b") as other, pytest.raises(UsageError) as caught:
        locate("")
    assert one.endpoint in str(caught.value)
    assert other.endpoint in str(caught.value)


def test_a_link_to_another_machine() -> None:
    key = "x" * 40
    connection = locate(f"concurrent://lab7:8099?key={key}&token=submit-abc")
    assert connection.endpoint == "tcp://lab7:8099"
    assert connection.server_key == key
    assert connection.token == "submit-abc"


def test_a_malformed_link() -> None:
    with pytest.raises(UsageError, match="is no link"):
        locate("lab7:8099")
