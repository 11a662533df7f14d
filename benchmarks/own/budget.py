"""Where the processor time of a task goes: how much each process spends on it."""

from __future__ import annotations

import contextlib
from statistics import median
from typing import TYPE_CHECKING

import psutil

from benchmarks.own.measure import TITLES, OwnFound
from benchmarks.own.processor import seconds_of
from benchmarks.peer import EXECUTORS
from benchmarks.peers.concurrent_app import Concurrent
from benchmarks.workloads import nothing

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.peer import Peer

TASKS = 100_000
FEW_TASKS = 2_000
ROUNDS = 5
KINDS = ("application", "master", "worker", "executors")


def measure(settings: Sequence[str], *, quick: bool) -> OwnFound:
    """Return microseconds of processor time per task."""
    tasks = FEW_TASKS if quick else TASKS

    async def work(peer: Peer) -> list[dict[str, float]]:
        await peer.singles(nothing, range(FEW_TASKS))
        rounds = []
        for _ in range(ROUNDS):
            before = _used()
            await peer.singles(nothing, range(tasks))
            after = _used()
            rounds.append({kind: (after[kind] - before[kind]) / tasks * 1e6 for kind in after})
        return rounds

    rounds = Concurrent(settings).run(work)
    medians = {kind: median(one[kind] for one in rounds) for kind in rounds[0]}
    total = sum(medians.values())
    return OwnFound(
        "budget",
        TITLES["budget"],
        f"{tasks:,} tasks that do nothing, submitted one by one, {ROUNDS} times; medians. With {EXECUTORS} "
        "processors, no more tasks than the last column says can go through, whatever waits for what.",
        [*(f"{kind}, us" for kind in medians), "all, us", "bound, tasks/s"],
        [
            [
                *(f"{each:.1f}" for each in medians.values()),
                f"{total:.1f}",
                f"{EXECUTORS * 1e6 / total:,.0f}",
            ]
        ],
    )


def _used() -> dict[str, float]:
    """Return the processor time of this process and those below it, by kind."""
    used = dict.fromkeys(KINDS, 0.0)
    own = psutil.Process()
    for process in (own, *own.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            used[_kind(process)] += seconds_of(process.pid)
    return used


def _kind(process: psutil.Process) -> str:
    """Return what a process is; any that is nothing else is the application or a template."""
    if process.name() == "cc-executor":
        return "executors"
    command = process.cmdline()[2:3]
    return command[0] if command in (["master"], ["worker"]) else "application"
