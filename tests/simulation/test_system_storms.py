"""Task systems whose hosts, masters, workers, network and disks fail: their result is told, once, and right."""

from __future__ import annotations

import pytest

from tests.simulation.system_storm import SEEDS, run, run_that_fails


@pytest.fixture(autouse=True)
def _installed_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have no code travel: all of it is in this process."""
    monkeypatch.setattr("concurrent_framework.code.received.find_local", lambda _name: None)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_system_comes_to_its_result_whatever_happens(seed: int) -> None:
    run(seed)


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_system_that_fails_in_a_storm_comes_to_its_result_when_it_is_retried(seed: int) -> None:
    run_that_fails(seed)
