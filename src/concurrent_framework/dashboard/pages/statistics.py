"""What the node measures of its own work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import ui

from concurrent_framework.cli.amounts import count, rate, size, span
from concurrent_framework.dashboard.widgets import MONO, Paged, card, column, empty, head, page_of

if TYPE_CHECKING:
    from concurrent_framework.dashboard.view import View

COLUMNS = [
    column("name", "Statistic", sort=True),
    column("count", "Count or value", number=True),
    column("rate", "Rate", number=True),
    column("mean", "Mean", number=True, wide=True),
    column("p50", "Median", number=True, wide=True),
    column("p95", "95 %", number=True, wide=True),
    column("p99", "99 %", number=True, wide=True),
    column("max", "Max", number=True, wide=True),
    column("help", "What it is", wide=True),
]


async def build(view: View) -> None:
    """Build the page."""
    wanted = {"text": ""}

    async def fetch(offset: int, limit: int, order: str, down: bool) -> tuple[int, list[Any]]:
        answer = await view.ask("statistics.get")
        found = [
            _row(name, one)
            for name, one in answer.items()
            if wanted["text"].lower() in f"{name} {one['help']}".lower()
        ]
        return page_of(found, offset, limit, order, down=down)

    with head("Statistics"):
        with ui.element("a").props('href="/metrics"').classes("small muted"):
            ui.label("Prometheus")
        search = ui.input(placeholder="Name").props(
            'outlined dense clearable aria-label="Search statistics"'
        )
    with card(flush=True):
        table = Paged(
            COLUMNS,
            fetch,
            "name",
            cells={"name": MONO},
            size=50,
            nothing=lambda: empty(
                "query_stats",
                "Nothing to show",
                "The node runs with stats.enabled=false, or none is called so.",
            ),
        )

    async def filtered() -> None:
        wanted["text"] = search.value or ""
        await table.first()

    search.on_value_change(filtered)
    view.on_look(table.renew)


def _row(name: str, one: dict[str, Any]) -> dict[str, Any]:
    row = {"name": name, "help": one["help"], "count": "", "rate": ""}
    if one["kind"] == "gauge":
        return {**row, "count": f"{one['value']:,g}"}
    row.update(count=count(one["count"]), rate=rate(one["rate"]))
    if one["kind"] == "histogram":
        for key in ("mean", "p50", "p95", "p99", "max"):
            row[key] = _amount(name, one[key])
    return row


def _amount(name: str, value: float) -> str:
    """Write a value in the unit that the name ends with."""
    if name.endswith("_seconds"):
        return f"{value * 1e6:.0f} µs" if value < 0.001 else span(value)
    return size(value) if name.endswith("_bytes") else f"{value:,.1f}"
