"""Recordings that are made by hand, so that what comes of them is known exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from concurrent_framework.config import Config
from concurrent_framework.launch.components import components_for
from concurrent_framework.master import recording as rec
from concurrent_framework.model.resources import Capacity, Resources
from concurrent_framework.rehearsal.stage import Network
from concurrent_framework.rehearsal.variants import Variant, rehearse, resized
from concurrent_framework.rehearsal.workload import workload_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from concurrent_framework.rehearsal.figures import Figures
    from concurrent_framework.rehearsal.workload import Workload

BEGIN = 1_700_000_000.0
INSTANT = Network(latency=0.0)


def worker(number: int, executors: int = 2, **capacity: Any) -> rec.Helper:
    capacity.setdefault("cpus", float(executors))
    return rec.Helper(number, f"w{number}", Capacity(executors, **capacity))


def kind(number: int = 1, **fields: Any) -> rec.Kind:
    shares = fields.pop("shares", ())
    priority = fields.pop("priority", 0)
    return rec.Kind(1, number, f"Kind{number}", Resources(**fields), priority, shares)


def ran(
    first: int,
    seconds: Sequence[float],
    *,
    kind: int = 1,
    at: float = 0.0,
    worker: int = 1,
    maker: int = 0,
    application: int = 1,
    ended: float = 0.0,
) -> list[rec.Row]:
    """Return tasks that came together, ran for so long each, and ended together."""
    sequences = list(range(first, first + len(seconds)))
    times = [round(one * rec.MICROSECONDS) for one in seconds]
    return [
        rec.Came(application, first, len(seconds), kind, BEGIN + at, maker),
        rec.Went(application, sequences, times, worker, (), BEGIN + ended if ended else 0.0),
    ]


def workload(*rows: rec.Row) -> Workload:
    return workload_of([rec.Client(1, "app", 1.0, 0), *rows])


def simulate(
    work: Workload,
    strategy: str = "least-loaded",
    *,
    scheduler: str = "push",
    workers: int | None = None,
    executors: int | None = None,
    network: Network = INSTANT,
    at_start: bool = False,
    plugins: Path | None = None,
) -> Figures:
    settings = [f"master.scheduler={scheduler}", f"master.strategy={strategy}"]
    components = components_for(Config.load(None, {}, settings), plugins=plugins)
    variant = Variant(scheduler, strategy, resized(work.helpers, workers, executors))
    return rehearse(work, variant, network, components, lambda _done: None, at_start=at_start)
