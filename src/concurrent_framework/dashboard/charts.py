"""Charts in the dashboard's look: the same in light and dark."""

from __future__ import annotations

from typing import Any

from nicegui import ui

GREY = "#8a979e"
LINE = "rgba(128,140,148,.18)"
ACCENT = "#14a098"
BAD = "#e0695e"
COLOURS = ("#14a098", "#5b7fdb", "#d9943a", "#a86bc9", "#6aa84f", "#d0608e", "#3aa0c9", "#9a8a5a")
"""Colours of applications, by their number."""
CLOCK = {"time": {"formatter": "{HH}:{mm}:{ss}"}}
"""How axes of time are labelled: all alike."""
TOOLTIP = {
    "backgroundColor": "rgba(20,26,29,.94)",
    "borderWidth": 0,
    "textStyle": {"color": "#e6ebed", "fontSize": 12},
    "confine": True,
}


def axis(kind: str, **more: Any) -> dict[str, Any]:
    """Describe an axis."""
    return {
        "type": kind,
        "axisLine": {"show": False},
        "axisTick": {"show": False},
        "axisLabel": {"color": GREY, "fontSize": 11, "hideOverlap": True, **CLOCK.get(kind, {})},
        "splitLine": {"lineStyle": {"color": LINE}, "show": kind == "value"},
        **more,
    }


def line(name: str, colour: str, *, area: bool = False, step: bool = False) -> dict[str, Any]:
    """Describe a curve over time."""
    described: dict[str, Any] = {
        "name": name,
        "type": "line",
        "data": [],
        "showSymbol": False,
        "lineStyle": {"width": 1.8, "color": colour},
        "itemStyle": {"color": colour},
        "emphasis": {"disabled": True},
    }
    if area:
        described["areaStyle"] = {"color": colour, "opacity": 0.12}
    if step:
        described["step"] = "end"
    return described


class TimeChart:
    """Curves over time that grow at their right.

    Args:
        label: what it shows, for those who cannot see it.
        series: made with `line`.
        top: the value at its top; None for as high as needed.

    """

    def __init__(self, label: str, *series: dict[str, Any], top: float | None = None) -> None:
        self._chart = ui.echart(
            {
                "animation": False,
                "grid": {"left": 8, "right": 10, "top": 30, "bottom": 4, "containLabel": True},
                "legend": {
                    "right": 0,
                    "top": 0,
                    "icon": "roundRect",
                    "itemWidth": 10,
                    "itemHeight": 10,
                    "textStyle": {"color": GREY, "fontSize": 11.5},
                },
                "tooltip": {"trigger": "axis", **TOOLTIP},
                "xAxis": axis("time"),
                "yAxis": axis("value", min=0, max=top, minInterval=1 if top is None else 0),
                "series": list(series),
            }
        )
        self._chart.classes("chart").props(f'role="img" aria-label="{label}"')

    def show(self, *curves: list[list[float]]) -> None:
        """Show points, each a pair of milliseconds and value, for each curve."""
        for series, points in zip(self._chart.options["series"], curves, strict=True):
            series["data"] = points
        self._chart.update()
