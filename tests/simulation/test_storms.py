"""Whatever dies, the master included: each task has one outcome, and nothing that was accepted is lost.

Half of the thousand seeds under either pattern. A failing one replays exactly:
``pytest "tests/simulation/test_storms.py::test_...[push-17]"``.
"""

from __future__ import annotations

import pytest

from tests.simulation.storm import SEEDS, run


@pytest.mark.parametrize("seed", range(SEEDS))
@pytest.mark.parametrize("pattern", ["push", "pull"])
def test_promises_hold_whatever_happens(pattern: str, seed: int) -> None:
    run(2 * seed + (pattern == "pull"), pattern)
