"""Whatever dies, the master included: each task has one outcome, and nothing that was accepted is lost.

Half of the thousand seeds under either pattern. A failing one replays exactly:
``pytest "tests/simulation/test_storms.py::test_...[push-17]"``.
"""

from __future__ import annotations

from collections import Counter

import pytest

from tests.simulation.storm import ENDURED, SEEDS, run


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("pattern", ["push", "pull"])
def test_promises_hold_whatever_happens(pattern: str, seed: int) -> None:
    run(seed + SEEDS * (pattern == "pull"), pattern)


def test_everything_that_storms_are_for_happens_in_them() -> None:
    happened: Counter[str] = Counter()
    for seed in range(50):
        happened += run(seed, "pull" if seed % 2 else "push").cluster.happened
    assert happened.keys() == ENDURED
