"""A page of the dashboard that an installed package brings."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

from concurrent_framework.api.access import read_access
from tests.cluster.place import until
from tests.examples.conftest import installed

if TYPE_CHECKING:
    from pathlib import Path

    from tests.browser.window import Window
    from tests.cluster.place import Place

__all__ = ["installed"]


def test_a_page_of_a_package_is_in_the_navigation_and_shows_the_cluster(
    window: Window,
    place: Place,
    installed: Path,
) -> None:
    master = place.start("master", "--name", "m", "--set", "api.port=0", PYTHONPATH=str(installed))
    master.says("is ready")
    (directory,) = place.runtime.glob("concurrent/m-*")
    for name in ("w1", "w2"):
        place.start("worker", "--name", name, "--executors", "3", "--join", "auto")
        until(lambda name=name: f"worker {name} joined" in master.err, master)  # type: ignore[misc]
    access = read_access(directory)
    assert access is not None
    window.open(access.link)
    window.says("nav", "Machines")
    window.open(f"{access.url}/dashboard/machines")
    window.says(".machines", f"{socket.gethostname()}: 2 workers, 6 executors, 0 tasks")
