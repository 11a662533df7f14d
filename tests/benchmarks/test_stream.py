"""The memory of every process stays where it is however many tasks pass through."""

from __future__ import annotations

from benchmarks.own.stream import PARTS, stream

TASKS = 40_000
"""Kept anywhere, the second half of them would take 8 MB or more."""
ALLOWED = 3e6
WINDOW = 2000


def test_memory_is_flat_between_n_and_2n_tasks() -> None:
    parts = list(stream(TASKS, [f"master.window_tasks={WINDOW}"]))
    assert [part.ended for part in parts] == [TASKS * n // PARTS for n in range(1, PARTS + 1)]
    half, whole = parts[PARTS // 2 - 1], parts[-1]
    grown = {name: getattr(whole, name) - getattr(half, name) for name in half._fields[2:]}
    assert all(more < ALLOWED for more in grown.values()), grown
