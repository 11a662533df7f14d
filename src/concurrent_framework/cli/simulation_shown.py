"""How simulations look on a terminal, and as JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.text import Text

from concurrent_framework.cli.amounts import count, size, span
from concurrent_framework.cli.tables import make_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.rehearsal.figures import Figures
    from concurrent_framework.rehearsal.variants import Variant
    from concurrent_framework.rehearsal.workload import Helper, Workload

Result = tuple["Variant", "Figures"]


def show(
    workload: Workload, recorded: Figures | None, results: Sequence[Result], notes: Sequence[str]
) -> None:
    """Print what was recorded and what was simulated, as a table, the quickest one in green."""
    console = Console(highlight=False)
    executors = sum(helper.capacity.executors for helper in workload.helpers)
    console.print(
        f"{count(len(workload.jobs))} tasks of {_plural(len(workload.clients), 'application')},"
        f" recorded on {_plural(len(workload.helpers), 'worker')} with"
        f" {_plural(executors, 'executor')};"
        f" they ran for {span(sum(job.seconds for job in workload.jobs))} altogether"
    )
    data = ["DATA>"] if any(figures.moved for _, figures in results) else []
    table = make_table(
        "", "W/EX", "MAKESPAN>", "CHANGE>", "USED>", "WAIT>", "95%>", "LONGEST>", *data
    )
    if recorded is not None:
        cells = _cells(recorded, None, data=bool(data))
        table.add_row(Text("recorded", "dim"), _cluster(workload.helpers), *cells)
    best = min(figures.makespan for _, figures in results)
    for variant, figures in results:
        style = "bold green" if len(results) > 1 and figures.makespan == best else "bold"
        cells = _cells(figures, recorded, data=bool(data))
        table.add_row(Text(variant.title, style), _cluster(variant.helpers), *cells)
    console.print(table)
    for note in notes:
        console.print(Text(f"  {note}", "yellow"))


def print_json(
    workload: Workload, recorded: Figures | None, results: Sequence[Result], notes: Sequence[str]
) -> None:
    """Print everything for scripts; times are in seconds."""
    answer = {
        "workload": {
            "tasks": len(workload.jobs),
            "applications": [client.name for client in workload.clients],
            "workers": len(workload.helpers),
            "executors": sum(helper.capacity.executors for helper in workload.helpers),
            "run_time": sum(job.seconds for job in workload.jobs),
            "failed": workload.failed,
            "left_out": workload.left_out,
        },
        "recorded": None if recorded is None else _plain(recorded),
        "simulated": [
            {
                "scheduler": variant.scheduler,
                "strategy": variant.strategy or None,
                "workers": len(variant.helpers),
                "executors": sum(helper.capacity.executors for helper in variant.helpers),
                **_plain(figures),
            }
            for variant, figures in results
        ],
        "notes": list(notes),
    }
    print(json.dumps(answer, indent=2))


def _plain(figures: Figures) -> dict[str, Any]:
    return {**figures._asdict(), "waits": figures.waits._asdict()}


def _cluster(helpers: Sequence[Helper]) -> str:
    """Return how many workers there are, and how many executors together."""
    return f"{count(len(helpers))}/{count(sum(one.capacity.executors for one in helpers))}"


def _cells(figures: Figures, recorded: Figures | None, *, data: bool) -> list[str]:
    waits = figures.waits
    change = "" if recorded is None else f"{figures.makespan / recorded.makespan - 1:+.0%}"
    return [
        _time(figures.makespan),
        change,
        f"{figures.utilisation:.0%}",
        *(_time(seconds) for seconds in (waits.mean, waits.p95, waits.longest)),
        *([] if not data else ["" if figures.moved is None else size(figures.moved)]),
    ]


def _time(seconds: float) -> str:
    """Return a time with as many digits as two simulations may differ in."""
    if seconds < 1:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds:.2f} s" if seconds < 60 else span(seconds)


def _plural(number: int, noun: str) -> str:
    return f"{count(number)} {noun}{'' if number == 1 else 's'}"
