"""Everything at once, with real processes that are killed at random."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from tests.managers.sample_tasks import Call

if TYPE_CHECKING:
    from pathlib import Path

    from tests.managers.drive import Driver


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_task_has_one_end_and_the_delicate_ones_one_start(
    driver: Driver, tmp_path: Path, seed: int
) -> None:
    choose = random.Random(seed)
    note = tmp_path / "note"
    submitted: dict[int, str] = {}
    delicate: set[int] = set()
    back: set[int] = set()
    cancelled: set[int] = set()
    for number in range(60):
        idempotent = choose.random() < 0.5
        tasks = [Call("note", str(note), f"{number}.{n}") for n in range(choose.randrange(1, 120))]
        if choose.random() < 0.2:
            tasks.insert(choose.randrange(len(tasks)), Call("kill_self"))
        keys = driver.push(*tasks, application=choose.randrange(1, 3), idempotent=idempotent)
        submitted.update(zip(keys, (str(task.arguments[-1:]) for task in tasks), strict=True))
        if not idempotent:
            delicate |= set(keys)
        for _ in range(choose.randrange(4)):
            driver.turn(time.monotonic() + 0.002)
        action = choose.random()
        if action < 0.2 and driver.pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(choose.choice(driver.pids), signal.SIGKILL)
        elif action < 0.35:
            given = driver.recall(choose.randrange(1, 100))
            assert not back & set(given)
            back |= set(given)
        elif action < 0.5:
            some = choose.sample(sorted(submitted), min(len(submitted), 30))
            cancelled |= set(some)
            driver.cancel(*some)
    driver.wait([key for key in submitted if key not in back])
    assert not back & set(driver.outcomes)
    assert set(driver.reported.values()) == {1}
    starts = Counter(note.read_text().split())
    names = {key: text.strip("(',)") for key, text in submitted.items()}
    assert all(starts[names[key]] <= 1 for key in delicate)
    assert not any(starts[names[key]] for key in back & delicate)
    for key, outcome in driver.outcomes.items():
        if outcome.failure is None:
            assert starts[names[key]] >= 1
        elif outcome.failure.kind == "cancelled":
            assert key in cancelled
            if key in delicate and not outcome.failure.certificate.signal:
                assert not starts[names[key]]
        else:
            assert outcome.failure.kind == "worker_lost"
