"""The overview: how the cluster does, at a glance."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from nicegui import ui

from concurrent_framework.cli.amounts import count, rate, span
from concurrent_framework.dashboard.charts import ACCENT, BAD, COLOURS, TimeChart, line
from concurrent_framework.dashboard.frame import stamp
from concurrent_framework.dashboard.history import utilisation
from concurrent_framework.dashboard.widgets import Tile, card, empty, head

if TYPE_CHECKING:
    from concurrent_framework.cli.watching import Look
    from concurrent_framework.dashboard.view import View

FEW = 16
"""Up to so many nodes have a bar with a name, more have a cell each."""
SHOWN = 8


def build(view: View) -> None:
    """Build the page."""
    _Overview(view)


class _Overview:
    def __init__(self, view: View) -> None:
        self._view = view
        self._shown: dict[str, Any] = {}
        with head("Overview"):
            pass
        with ui.element("div").classes("tiles"):
            self._rate = Tile("Throughput")
            self._queue = Tile("Queue")
            self._busy = Tile("Utilisation")
            self._ended = Tile("Finished")
            self._failed = Tile("Failed")
            self._nodes = Tile("Nodes")
        with ui.element("div").classes("two"):
            with card("Tasks per second"):
                self._rates = TimeChart(
                    "Tasks that ended and failed per second over the last minutes",
                    line("ended", ACCENT, area=True),
                    line("failed", BAD),
                )
            with card("Work there is"):
                self._depths = TimeChart(
                    "Tasks that wait and that are at workers over the last minutes",
                    line("waiting", COLOURS[1], area=True),
                    line("at workers", ACCENT),
                )
        with ui.element("div").classes("wide-left"):
            with ui.element("div").classes("page-column"), card("Applications"):
                self._applications = ui.element("div").classes("rows")
            with card("Utilisation by node"):
                self._cells = ui.element("div")
        with card("What happened"):
            self._events = ui.element("div").classes("rows")
        view.on_look(self._renew)

    def _renew(self) -> None:
        look = self._view.observer.look
        if look is None:
            return
        self._figures(look)
        self._curves()
        self._renew_if_new("applications", _progress_of(look), self._show_applications)
        self._renew_if_new(
            "nodes", [(one["worker"], utilisation(one)) for one in look.nodes], self._show_nodes
        )
        self._renew_if_new("events", self._view.observer.events[-SHOWN:], self._show_events)

    def _figures(self, look: Look) -> None:
        status = look.status
        tasks, executors = status["tasks"], status["executors"]
        busy = status["occupied"] / executors if executors else 0.0
        self._rate.show(rate(look.rate), f"{count(status['outcomes'])} outcomes so far")
        self._queue.show(count(tasks["waiting"]), f"{count(tasks['assigned'])} at workers")
        self._busy.show(f"{100 * busy:.0f} %", f"{status['occupied']:g} of {executors} executors")
        self._ended.show(count(tasks["finished"]), "ended well")
        others = f"{count(tasks['cancelled'])} cancelled"
        self._failed.show(count(tasks["failed"]), others, "bad" if tasks["failed"] else "")
        self._nodes.show(count(status["workers"]), f"pattern: {status['pattern']}")

    def _curves(self) -> None:
        points = self._view.observer.history.points
        self._rates.show(
            [[1000 * one.time, round(one.rate, 2)] for one in points],
            [[1000 * one.time, round(one.errors, 2)] for one in points],
        )
        self._depths.show(
            [[1000 * one.time, one.queued] for one in points],
            [[1000 * one.time, one.running] for one in points],
        )

    def _renew_if_new(self, name: str, value: Any, show: Any) -> None:
        if name not in self._shown or self._shown[name] != value:
            self._shown[name] = value
            show(value)

    def _show_applications(self, found: list[tuple[Any, ...]]) -> None:
        self._applications.clear()
        with self._applications:
            if not found:
                empty(
                    "apps",
                    "No application runs",
                    "Start one on this cluster:",
                    "concurrent run hello.py --join auto",
                )
            for number, name, percent, left, pace in found[:SHOWN]:
                with ui.element("div").classes("row-item"):
                    ui.link(name, f"/applications/{number}").classes("plain")
                    with ui.element("div").classes("grow"):
                        ui.html(_meter(percent, name), sanitize=False)
                    ui.label(f"{percent:.0f} %")
                    ui.label(f"{pace}").classes("muted small")
                    ui.label(left).classes("muted small")
            if len(found) > SHOWN:
                ui.link(f"{len(found) - SHOWN} more", "/applications")

    def _show_nodes(self, found: list[tuple[str, float]]) -> None:
        self._cells.clear()
        with self._cells:
            if not found:
                empty(
                    "dns", "No worker has joined", "Start one on this machine:", "concurrent worker"
                )
            elif len(found) <= FEW:
                ui.html(_bars(found), sanitize=False)
            else:
                ui.html(_cells(found), sanitize=False)

    def _show_events(self, found: list[dict[str, Any]]) -> None:
        self._events.clear()
        with self._events:
            if not found:
                empty("history", "Nothing has happened yet")
            for one in reversed(found):
                with ui.element("div").classes("row-item"):
                    ui.label(stamp(one["time"])).classes("muted small")
                    kind = {"error": "bad", "warning": "warn"}.get(one["level"], "muted")
                    ui.label(one["kind"]).classes(f"small {kind}")
                    ui.label(one["text"]).classes("grow")


def _progress_of(look: Look) -> list[tuple[Any, ...]]:
    return [
        (
            one["application"],
            one["name"],
            round(100 * one["done"] / one["total"]) if one["total"] else 0,
            "" if one["eta"] is None else f"{span(one['eta'])} left",
            rate(one["rate"]),
        )
        for one in look.applications
    ]


def _meter(percent: float, name: str) -> str:
    return (
        f'<div class="meter" role="progressbar" aria-label="{escape(name)}" '
        f'aria-valuenow="{percent}"><i style="width:{percent}%"></i></div>'
    )


def _bars(nodes: list[tuple[str, float]]) -> str:
    rows = "".join(
        f'<span class="name">{escape(name)}</span>{_meter(round(100 * share), name)}'
        f'<span class="muted small">{100 * share:.0f} %</span>'
        for name, share in nodes
    )
    return f'<div class="bars">{rows}</div>'


def _cells(nodes: list[tuple[str, float]]) -> str:
    mean = sum(share for _, share in nodes) / len(nodes)
    cells = "".join(
        f'<i style="--u:{share:.2f}" title="{escape(name)}: {100 * share:.0f} %"></i>'
        for name, share in nodes
    )
    label = f"{len(nodes)} nodes, {100 * mean:.0f} % busy on average"
    return f'<div class="cells" role="img" aria-label="{label}">{cells}</div>'
