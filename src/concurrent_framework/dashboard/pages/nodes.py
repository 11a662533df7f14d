"""The workers: what they offer, what they do, and how they stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from nicegui import ui

from concurrent_framework.cli.amounts import age, count, rate, size
from concurrent_framework.dashboard.history import utilisation
from concurrent_framework.dashboard.widgets import (
    ACTIONS,
    METER,
    NAMED,
    NONE,
    PILL,
    SPARK,
    STATE_KINDS,
    Paged,
    card,
    column,
    confirmed,
    empty,
    head,
    page_of,
    spark,
)

if TYPE_CHECKING:
    from concurrent_framework.dashboard.view import View

SILENT = 5.0
"""Seconds without a word after which a worker is shown as silent."""
VERBS = {
    "nodes.drain": ("Drain", "gets nothing new"),
    "nodes.resume": ("Resume", "gets work again"),
    "nodes.remove": ("Remove", "has to go"),
}


async def build(view: View) -> None:
    """Build the page."""
    wanted = {"text": ""}
    columns = [
        column("worker", "Worker", sort=True),
        column("standing", "Standing", sort=True),
        column("load", "Load", sort=True),
        column("spark", "Last minute", wide=True),
        column("rate", "Rate", number=True, wide=True, sort=True),
        column("tasks", "Tasks", number=True, wide=True, sort=True),
        column("finished", "Finished", number=True, wide=True, sort=True),
        column("executors", "Executors", number=True, widest=True, sort=True),
        column("memory", "Memory", number=True, wide=True, sort=True),
        column("version", "Version", widest=True, sort=True),
        column("heard", "Heard", number=True, widest=True),
    ]
    if any(view.may(method) for method in VERBS):
        columns.append(column("actions", "", number=True))

    async def fetch(offset: int, limit: int, order: str, down: bool) -> tuple[int, list[Any]]:
        look = view.observer.look
        nodes = look.nodes if look else []
        found = [
            one
            for one in nodes
            if wanted["text"].lower() in f"{one['worker']} {one['host']}".lower()
        ]
        keyed = [{**one, "load": utilisation(one), "standing": standing_of(one)} for one in found]
        total, page = page_of(keyed, offset, limit, order, down=down)
        return total, [_row(view, one) for one in page]

    with head("Nodes"):
        search = ui.input(placeholder="Name or host").props(
            'outlined dense clearable aria-label="Search nodes"'
        )
    with card(flush=True):
        table = Paged(
            columns,
            fetch,
            "worker",
            cells={
                "worker": NAMED,
                "load": METER,
                "spark": SPARK,
                "standing": PILL,
                "actions": ACTIONS,
            },
            nothing=lambda: empty(
                "dns", "No worker to show", "Start one on this machine:", "concurrent worker"
            ),
        )

    async def act(event: Any) -> None:
        verb, worker = event.args["verb"], event.args["about"]
        label, said = VERBS[verb]
        if verb == "nodes.remove" and not await confirmed(
            f"Remove {worker}?", "What it runs is run elsewhere, and its process ends.", "Remove"
        ):
            return
        await view.act(f"{label}: {worker} {said}", verb, worker=worker)

    async def filtered() -> None:
        wanted["text"] = search.value or ""
        await table.first()

    table.table.on("act", act)
    search.on_value_change(filtered)
    view.on_look(table.renew)


def standing_of(node: dict[str, Any]) -> str:
    """Return how a worker stands, in a word."""
    told = node.get("standing") or node.get("state")
    if told:
        return str(told)
    return "silent" if node["silent"] > SILENT else "present"


def _row(view: View, node: dict[str, Any]) -> dict[str, Any]:
    curve = view.observer.history.nodes.get(node["worker"], ())
    percent = round(100 * node["load"])
    return {
        "worker": node["worker"],
        "about": node["worker"],
        "called": node["worker"],
        "under": f"{node['host']} · process {node['pid']}",
        "standing": node["standing"],
        "kind": STATE_KINDS.get(node["standing"], "quiet"),
        "load": f"{percent} %",
        "percent": percent,
        "spark": spark(tuple(curve), 1.0),
        "spark_label": f"Load of {node['worker']} in the last minute",
        "rate": rate(node["rate"]),
        "tasks": count(node["tasks"]),
        "finished": count(node["finished"]),
        "executors": node["executors"],
        "memory": size(node["memory"]) if node["memory"] else NONE,
        "version": node["version"],
        "heard": f"{age(node['silent'])} ago",
        "actions": [
            {"verb": verb, "label": label, "danger": verb == "nodes.remove"}
            for verb, (label, _) in VERBS.items()
            if view.may(verb) and _fits(verb, node["standing"])
        ],
    }


def _fits(verb: str, standing: str) -> bool:
    """Whether an action makes sense for a worker that stands so."""
    held = standing in {"draining", "drained", "quarantined", "quarantine"}
    return verb == "nodes.remove" or held == (verb == "nodes.resume")
