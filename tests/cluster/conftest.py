"""Clusters of real processes, under both patterns of work."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cluster.place import Place
from tests.cluster.swarm import Swarm


@pytest.fixture(scope="session", params=["push", "pull"])
def pattern(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="session")
def swarm(pattern: str) -> Iterator[Swarm]:
    """A worker with two executors, shared by the tests that leave it as it was."""
    with tempfile.TemporaryDirectory(prefix="c") as name:
        place = Place(Path(name))
        try:
            swarm = Swarm(place, pattern, "master.window_tasks=500")
            swarm.add_worker("w1")
            yield swarm
            swarm.stop()
        finally:
            place.close()


@pytest.fixture(scope="session")
def frail(pattern: str) -> Iterator[Swarm]:
    """A master that takes nodes for lost after two seconds, for tests that kill them."""
    with tempfile.TemporaryDirectory(prefix="c") as name:
        place = Place(Path(name))
        try:
            swarm = Swarm(place, pattern, "master.lease=2")
            swarm.add_worker("safe", "--label", "safe")
            yield swarm
            # The directories of those that were killed go when another worker starts.
            swarm.add_worker("last")
            swarm.stop()
        finally:
            place.close()


@pytest.fixture
def place() -> Iterator[Place]:
    """A place of the test's own."""
    with tempfile.TemporaryDirectory(prefix="c") as name:
        place = Place(Path(name))
        try:
            yield place
        finally:
            place.close()


@pytest.fixture
def make_swarm(place: Place, pattern: str) -> Callable[..., Swarm]:
    """Make a swarm of the test's own, to be broken."""
    return lambda *settings, **options: Swarm(place, pattern, *settings, **options)
