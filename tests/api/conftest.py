"""A master with a worker, as its users start them, and its API."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from concurrent_framework.api import Client
from concurrent_framework.api.access import read_access
from tests.api.reach import Reach
from tests.cluster.place import Place
from tests.cluster.swarm import Swarm


@pytest.fixture(scope="module")
def swarm() -> Iterator[Swarm]:
    """A master that serves its API, with a worker of two executors."""
    with tempfile.TemporaryDirectory(prefix="c") as name:
        place = Place(Path(name))
        try:
            swarm = Swarm(place, "push", "api.port=0")
            swarm.add_worker("w1")
            yield swarm
            swarm.stop()
            assert "Traceback" not in swarm.master.err
        finally:
            place.close()


@pytest.fixture(scope="module")
def reach(swarm: Swarm) -> Reach:
    """Plain HTTP to that master."""
    (directory,) = swarm.place.runtime.glob("concurrent/m-*")
    access = read_access(directory)
    assert access is not None
    return Reach(access.url, access.token)


@pytest.fixture(scope="module")
def client(reach: Reach) -> Client:
    """The client of the API."""
    return Client(reach.url, reach.token)


@pytest.fixture
def place() -> Iterator[Place]:
    """A place of the test's own."""
    with tempfile.TemporaryDirectory(prefix="c") as name:
        place = Place(Path(name))
        try:
            yield place
        finally:
            place.close()
