"""Whatever dies, the master included: each task has one outcome, and nothing that was accepted is lost.

Half of the thousand seeds under either pattern, a hundred in each test: of a thousand tests, a tenth of the
time went into what is around them. One that fails is named, and replays alone exactly:
``python -m tests.simulation --pattern push --first 17 --seeds 1``.
"""

from __future__ import annotations

import traceback
from collections import Counter

import pytest

from tests.simulation.storm import ENDURED, SEEDS, run

BATCH = 100


@pytest.mark.parametrize("first", range(0, 2 * SEEDS, BATCH))
def test_promises_hold_whatever_happens(first: int) -> None:
    pattern = "push" if first < SEEDS else "pull"
    happened: Counter[str] = Counter()
    failed: dict[int, str] = {}
    for seed in range(first, first + BATCH):
        try:
            happened += run(seed, pattern).cluster.happened
        except Exception:
            failed[seed] = traceback.format_exc()
    assert not failed, "\n".join(
        f"seed {seed} under {pattern}:\n{text}" for seed, text in failed.items()
    )
    assert happened.keys() == ENDURED, "everything that storms are for happens in them"
