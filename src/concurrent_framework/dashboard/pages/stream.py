"""The task stream: what ran where and when, a lane for each task that a worker runs at a time."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from nicegui import ui

from concurrent_framework.cli.amounts import count
from concurrent_framework.dashboard.charts import ACCENT, BAD, COLOURS, EDGE, LINE, TOOLTIP, axis
from concurrent_framework.dashboard.frame import stamp
from concurrent_framework.dashboard.lanes import Bar, lanes_of
from concurrent_framework.dashboard.widgets import card, empty, head, tool

if TYPE_CHECKING:
    from concurrent_framework.dashboard.view import View

SPANS = {30: "Last 30 s", 60: "Last minute", 300: "Last 5 min"}
SHORTEST = 5.0
"""Seconds that are shown at least."""
LANE = 22
"""Pixels."""
DRAW = """(params, api) => {
  const lane = api.value(0), start = api.coord([api.value(1), lane]), end = api.coord([api.value(2), lane]);
  const height = api.size([0, 1])[1] * 0.72, area = params.coordSys;
  const left = Math.max(start[0], area.x), right = Math.min(Math.max(end[0], start[0] + 1.5), area.x + area.width);
  if (right <= left) return null;
  return {type: "rect", shape: {x: left, y: start[1] - height / 2, width: right - left, height, r: Math.min(3, (right - left) / 3)},
          style: {fill: api.visual("color"), opacity: 0.9}};
}"""
TOLD = """(one) => {
  const [lane, start, end, name, worker, task, tasks, failed] = one.value;
  const safe = (text) => { const made = document.createElement("i"); made.textContent = text; return made.innerHTML; };
  const more = tasks > 1 ? `<br>one of ${tasks.toLocaleString()} that came back together` : "";
  const span = end - start < 1000 ? `${(end - start).toFixed(end - start < 10 ? 2 : 0)} ms` : `${((end - start) / 1000).toFixed(2)} s`;
  return `<b>${safe(name)}</b> ${failed ? "failed" : ""}<br>${safe(task)} on ${safe(worker)}, ${span}${more}`;
}"""


def build(view: View) -> None:
    """Build the page."""
    _Stream(view)


class _Stream:
    def __init__(self, view: View) -> None:
        self._view = view
        self._paused = False
        with head("Task stream"):
            self._span = ui.select(SPANS, value=60).props('outlined dense aria-label="Time shown"')
            self._button = tool("Pause", "pause", self._toggle)
        with card() as bar:
            bar.set_visibility(True)
            with bar:
                self._legend = ui.element("div").classes("legend")
                ui.element("span").classes("spring")
                self._note = ui.label().classes("muted small")
            self._nothing = ui.element("div")
            with self._nothing:
                empty("view_timeline", "Nothing ran in this time", "Tasks appear here as they end.")
            self._chart = ui.echart(_options()).classes("chart stream")
            self._chart.props('role="img" aria-label="Tasks by worker and time"')
        view.observer.begin_stream()
        view.on_close(view.observer.end_stream)
        view.on_look(self._renew)
        self._span.on_value_change(self._renew)

    def _toggle(self) -> None:
        self._paused = not self._paused
        self._button.text = "Go on" if self._paused else "Pause"
        self._button.props(f"icon={'play_arrow' if self._paused else 'pause'}")

    def _renew(self) -> None:
        if self._paused:
            return
        look = self._view.observer.look
        executors = {one["worker"]: one["executors"] for one in look.nodes} if look else {}
        now = time.time()
        picture = lanes_of(self._view.observer.history.runs, executors, now - self._span.value)
        self._nothing.set_visibility(not picture.bars)
        self._chart.set_visibility(bool(picture.bars))
        failed = any(one.failed for one in picture.bars)
        self._show_legend({one.application for one in picture.bars}, failed=failed)
        since = now - self._span.value
        if picture.bars and picture.shortened:  # there is no more to show: no empty space, then
            since = max(since, min(picture.bars[0].start, now - SHORTEST))
        began = stamp(since) if since > now - self._span.value + 1 else ""
        self._note.text = note_of(picture.bars, picture.left_out, began)
        options = self._chart.options
        options["yAxis"]["data"] = picture.names
        options["xAxis"]["min"], options["xAxis"]["max"] = 1000 * since, 1000 * now
        options["series"][0]["data"] = [_item(one) for one in picture.bars]
        self._chart.style(f"height:{110 + LANE * len(picture.names)}px")
        self._chart.update()

    def _show_legend(self, numbers: set[int], *, failed: bool) -> None:
        look = self._view.observer.look
        names = {one["application"]: one["name"] for one in look.applications} if look else {}
        for parent in look.applications if look else ():
            names.update({each["application"]: each["name"] for each in parent["systems"]})
        self._legend.clear()
        with self._legend:
            for number in sorted(numbers)[: len(COLOURS)]:
                ui.label(names.get(number, f"application {number}")).classes("small").style(
                    f"--c:{COLOURS[number % len(COLOURS)]}"
                )
            if failed:
                ui.label("failed").classes("small").style(f"--c:{BAD}")


def _options() -> dict[str, Any]:
    return {
        "animation": False,
        "grid": {"left": 8, "right": EDGE, "top": 6, "bottom": 52, "containLabel": True},
        "tooltip": {":formatter": TOLD, **TOOLTIP},
        "xAxis": axis("time"),
        "yAxis": axis("category", inverse=True, data=[]),
        "dataZoom": [
            {"type": "inside", "filterMode": "weakFilter"},
            {
                "type": "slider",
                "filterMode": "weakFilter",
                "height": 22,
                "bottom": 8,
                "borderColor": "transparent",
                "backgroundColor": LINE,
                "fillerColor": "rgba(20,160,152,.28)",
                "handleStyle": {"color": ACCENT, "borderColor": ACCENT},
                "moveHandleSize": 0,
                "showDetail": False,
            },
        ],
        "series": [
            {
                "type": "custom",
                ":renderItem": DRAW,
                "encode": {"x": [1, 2], "y": 0},
                "data": [],
            }
        ],
    }


def _item(bar: Bar) -> dict[str, Any]:
    colour = BAD if bar.failed else COLOURS[bar.application % len(COLOURS)]
    return {
        "value": [
            bar.lane,
            1000 * bar.start,
            1000 * bar.end,
            bar.name,
            bar.worker,
            bar.task,
            bar.tasks,
            int(bar.failed),
        ],
        "itemStyle": {"color": colour},
    }


def note_of(bars: list[Bar], left_out: int, began: str) -> str:
    """Return what is said of a picture.

    Args:
        bars: what is in it.
        left_out: how many workers are not.
        began: the time of day at which it begins, if it is shorter than was asked for.

    """
    tasks = sum(one.tasks for one in bars)
    parts = [
        f"{count(tasks)} tasks in {count(len(bars))} batches",
        f"shown from {began} on" if began else "",
        f"{left_out} workers not shown" if left_out else "",
    ]
    return ", ".join(part for part in parts if part)
