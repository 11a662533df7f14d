"""What the journal costs: the throughput of a master that keeps one, next to one that does not."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING

from benchmarks.own.goal import HEAD, Figure
from benchmarks.own.measure import TITLES, OwnFound
from benchmarks.own.throughput import FEW_TASKS, TASKS, Flood
from benchmarks.swarm import swarm
from concurrent_framework import run

if TYPE_CHECKING:
    from collections.abc import Sequence

ROUNDS = 5
STORES = ("memory", "sqlite")


def rate(link: str) -> float:
    """Return how many tasks that do nothing go through in a second."""
    return run(Flood, join=link).rate


def measure(settings: Sequence[str], *, quick: bool) -> OwnFound:
    """Return both rates and the ratio, from turns that the two take."""
    Flood.tasks = FEW_TASKS if quick else TASKS
    rounds = 1 if quick else ROUNDS
    rates: dict[str, list[float]] = {store: [] for store in STORES}
    with swarm("memory", settings) as without, swarm("sqlite", settings) as with_journal:
        links = {"memory": without.link, "sqlite": with_journal.link}
        for link in links.values():
            rate(link)
        for _ in range(rounds):
            for store, link in links.items():
                rates[store].append(rate(link))
    without_rate, with_rate = (statistics.median(rates[store]) for store in STORES)
    ratios = [b / a for a, b in zip(rates["memory"], rates["sqlite"], strict=True)]
    ratio = statistics.median(ratios)
    figures = [
        Figure("tasks without a journal", f"{without_rate:,.0f}/s"),
        Figure("tasks with SQLite", f"{with_rate:,.0f}/s"),
        Figure(
            "ratio",
            f"{ratio:.2f} ({min(ratios):.2f}-{max(ratios):.2f})",
            "> 0.85",
            ratio > 0.85,
        ),
    ]
    return OwnFound(
        "journal",
        TITLES["journal"],
        f"{Flood.tasks:,} tasks that do nothing, pushed one by one to a master and a worker that stay; "
        f"{rounds} pairs of runs, medians.",
        HEAD,
        [figure.row for figure in figures],
    )
