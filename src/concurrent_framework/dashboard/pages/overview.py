"""The overview: how the cluster does, at a glance."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any, NamedTuple

from nicegui import ui

from concurrent_framework.cli.amounts import count, rate, span
from concurrent_framework.dashboard.charts import ACCENT, BAD, COLOURS, TimeChart
from concurrent_framework.dashboard.frame import stamp
from concurrent_framework.dashboard.history import Point, thinned, utilisation, with_gaps
from concurrent_framework.dashboard.widgets import Tile, card, empty, head

if TYPE_CHECKING:
    from collections.abc import Sequence

    from concurrent_framework.cli.watching import Look
    from concurrent_framework.dashboard.view import View

FEW = 16
"""Up to so many nodes have a bar with a name, more have a cell each."""
SHOWN = 8
FAILED = (
    "Failed and cancelled: tasks of the applications that are here. Kept: those on the page of "
    "failures, also of applications that have ended."
)
LEVELS = {"error": "bad", "warning": "warn"}


class _Described(NamedTuple):
    """A chart: of which figure of the points."""

    title: str
    label: str
    colour: str
    figure: str
    top: float | None = None


CHARTS = (
    _Described("Tasks per second", "Tasks that ended per second", ACCENT, "rate"),
    _Described("Waiting tasks", "Tasks that wait for a worker", COLOURS[1], "queued"),
    _Described("Busy executors, %", "Share of the executors at work", COLOURS[3], "busy", 100),
    _Described("Failures per minute", "Tasks that failed in the minute before", BAD, "errors"),
)


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
            self._failed = Tile("Failed", FAILED)
            self._nodes = Tile("Nodes")
        with ui.element("div").classes("four"):
            self._charts = [_chart(*described) for described in CHARTS]
        with ui.element("div").classes("wide-left"):
            with card("Applications"):
                self._applications = ui.element("div")
            with card("Utilisation by node"):
                self._cells = ui.element("div")
        with card("What happened"):
            self._events = ui.element("div")
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
        self._rate.show(rate(look.rate), f"{count(status['outcomes'])} so far")
        self._queue.show(count(tasks["waiting"]), f"{count(tasks['assigned'])} at workers")
        self._busy.show(f"{100 * busy:.0f} %", f"{status['occupied']:g} of {executors} executors")
        self._ended.show(count(tasks["finished"]), "ended well")
        others = f"{count(status['failures'])} kept, {count(tasks['cancelled'])} cancelled"
        self._failed.show(count(tasks["failed"]), others, "bad" if tasks["failed"] else "")
        self._nodes.show(count(status["workers"]), f"{count(executors)} executors")

    def _curves(self) -> None:
        points = with_gaps(thinned(self._view.observer.history.points))
        for chart, described in zip(self._charts, CHARTS, strict=True):
            chart.show(_curve(points, described.figure))

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
                return
            root = self._view.link("/applications")
            ui.html(_progress(found[:SHOWN], root), sanitize=False)
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
            else:
                ui.html(_happenings(found), sanitize=False)


def _chart(title: str, label: str, colour: str, _figure: str, top: float | None) -> TimeChart:
    with card(title):
        return TimeChart(label, colour, top)


def _curve(points: Sequence[Point | float], figure: str) -> list[list[float | None]]:
    """Return the points of a chart; a moment without a look has none."""
    return [
        [round(1000 * one), None]
        if isinstance(one, float)
        else [round(1000 * one.time), round(getattr(one, figure), 2)]
        for one in points
    ]


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


def _progress(applications: list[tuple[Any, ...]], root: str) -> str:
    rows = "".join(
        f'<a class="plain" href="{root}/{number}">{escape(name)}</a>{_meter(percent, name)}'
        f'<span class="num">{percent} %</span><span class="num muted small">{pace}</span>'
        f'<span class="num muted small">{left}</span>'
        for number, name, percent, left, pace in applications
    )
    return f'<div class="progress">{rows}</div>'


def _happenings(events: list[dict[str, Any]]) -> str:
    rows = "".join(
        f'<span class="muted small">{stamp(one["time"])}</span>'
        f'<span class="small {LEVELS.get(one["level"], "muted")}">{escape(one["kind"])}</span>'
        f"<span>{_told(one)}</span>"
        for one in reversed(events)
    )
    return f'<div class="happened">{rows}</div>'


def _told(event: dict[str, Any]) -> str:
    text = escape(event["text"])
    if event["kind"] != "task.failed":
        return text
    where = f" on {escape(event['worker'])}" if event["worker"] else ""
    name = escape(event["name"])
    return f'<b>{name}</b> <span class="muted">{event["task"]}{where}</span> {text}'


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
