"""How long a master takes to begin again with many pending tasks."""

from __future__ import annotations

import gc
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, cast

from benchmarks.own.goal import HEAD, Figure
from benchmarks.own.measure import TITLES, OwnFound
from concurrent_framework.components import ComponentManager
from concurrent_framework.config import Config
from concurrent_framework.master import encoding, facts
from concurrent_framework.master.invariants import check_invariants
from concurrent_framework.master.recovery import recover
from concurrent_framework.master.state import Settings
from concurrent_framework.model.ids import task_key
from concurrent_framework.model.spec import CodeReference, TaskSpec
from concurrent_framework.protocol.tasks import NewTask, Outcome, SpecEntry
from concurrent_framework.store.places import StorePlaces
from concurrent_framework.store.sqlite import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.store.base import IStore

SIZES = (10_000, 100_000, 1_000_000)
BATCH = 256
PAYLOAD = b"x" * 60
SETTINGS = Settings("benchmark", "benchmark", journal=True)
CHECKED = 10_000
"""Up to so many tasks the state is checked, which takes longer than to recover it."""


def open_store(directory: Path) -> IStore:
    """Open the journal in a directory."""
    manager = ComponentManager(Config())
    store = cast("IStore", manager.create(SqliteStore, StorePlaces(directory)))
    store.open()
    return store


def fill(store: IStore, pending: int, ended: int) -> None:
    """Write what a master does that has accepted so many tasks, some of them ended and delivered."""
    spec = TaskSpec(CodeReference("benchmark", "Task"))
    application = facts.Application(
        1, "app", "app", 0, 1.0, 0.0, 0, 1 << 39, 0, 1, 0, 0, 0, detached=False
    )
    store.append(
        *encoding.encode([facts.Life(1), facts.Defined(1, (SpecEntry(1, spec),), ()), application])
    )
    for first in range(1, ended + pending + 1, BATCH):
        rows = [NewTask(1, "task", PAYLOAD) for _ in range(min(BATCH, ended + pending + 1 - first))]
        store.append(*encoding.encode([facts.Submitted(1, first, rows)]))
        if first + BATCH <= ended:
            keys = range(task_key(1, first), task_key(1, first + BATCH))
            outcomes = [Outcome(key, 1 << 20 | 1, b"result") for key in keys]
            through = first + BATCH - 1
            store.append(
                *encoding.encode([facts.Ended(1, first, outcomes), facts.Delivered(1, through)])
            )


def seconds_to_recover(pending: int, ended: int = 0) -> float:
    """Return how long it takes from opening the store until the state is there."""
    with tempfile.TemporaryDirectory() as name:
        store = open_store(Path(name))
        fill(store, pending, ended)
        store.close()
        gc.collect()
        began = time.perf_counter()
        store = open_store(Path(name))
        state = recover(SETTINGS, (entry.data for entry in store.entries()), 0.0)
        took = time.perf_counter() - began
        store.close()
    if not pending <= len(state.tasks) < pending + BATCH:
        message = f"recovered {len(state.tasks)} tasks of {pending}"
        raise RuntimeError(message)
    if pending <= CHECKED:
        check_invariants(state)
    return took


def measure(settings: Sequence[str], *, quick: bool) -> OwnFound:
    """Return the time for each number of pending tasks."""
    del settings
    figures = []
    for size in SIZES[:1] if quick else SIZES:
        took = seconds_to_recover(size)
        goal = "< 20 s" if size == SIZES[-1] else ""
        figures.append(Figure(f"recovering {size:,} tasks", f"{took:.2f} s", goal, took < 20))
    return OwnFound(
        "recovery",
        TITLES["recovery"],
        "A master's journal in SQLite is opened and replayed.",
        HEAD,
        [figure.row for figure in figures],
    )
