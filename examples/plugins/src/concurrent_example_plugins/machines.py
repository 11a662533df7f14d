"""A page of the dashboard: what each machine of the swarm has, and what it does."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from concurrent_framework.components import Component, implements
from concurrent_framework.dashboard.page import IDashboardPage

if TYPE_CHECKING:
    from concurrent_framework.dashboard.view import View


class Machines(Component):
    """Adds up the workers of each machine."""

    implements(IDashboardPage)
    name = "page-machines"
    title, path, icon, needs = "Machines", "/machines", "computer", "nodes.list"

    async def build(self, view: View) -> None:
        """Build the page: a line for each machine, renewed after each look at the cluster."""
        from nicegui import ui  # only here: nodes import this module, too

        from concurrent_framework.dashboard.widgets import card, head

        with head(self.title), card():
            lines = ui.column().classes("machines")

        def renew() -> None:
            lines.clear()
            with lines:
                for text in summaries(view):
                    ui.label(text)

        view.on_look(renew)


def summaries(view: View) -> list[str]:
    """Return a line for each machine, as known from the last look."""
    look = view.observer.look
    workers, executors, tasks = Counter[str](), Counter[str](), Counter[str]()
    for node in look.nodes if look is not None else ():
        host = str(node["host"])
        workers[host] += 1
        executors[host] += int(node["executors"])
        tasks[host] += int(node["tasks"])
    return [
        f"{host}: {workers[host]} workers, {executors[host]} executors, {tasks[host]} tasks"
        for host in sorted(workers)
    ]
