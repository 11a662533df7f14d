"""Charts in the dashboard's look: the same in light and dark."""

from __future__ import annotations

from typing import Any

from nicegui import ui

GREY = "#8a979e"
LINE = "rgba(128,140,148,.18)"
ACCENT = "#14a098"
BAD = "#e0695e"
COLOURS = ("#14a098", "#5b7fdb", "#d9943a", "#a86bc9", "#6aa84f", "#b5bd3f", "#3aa0c9", "#9a8a5a")
"""Colours of applications, by their number."""
CLOCK = {"time": {"formatter": "{HH}:{mm}:{ss}"}}
"""How axes of time are labelled: all alike."""
EDGE = 23
"""Pixels right of a plot, half as wide as a label of `CLOCK`; they lie in the padding of the card."""
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


class TimeChart:
    """A curve over time that grows at its right.

    Args:
        label: what it shows, for those who cannot see it.
        colour: of the curve.
        top: the value at its top; None for as high as needed.

    """

    def __init__(self, label: str, colour: str, top: float | None = None) -> None:
        curve = {
            "name": label,
            "type": "line",
            "data": [],
            "showSymbol": False,
            "lineStyle": {"width": 1.8, "color": colour},
            "itemStyle": {"color": colour},
            "areaStyle": {"color": colour, "opacity": 0.12},
            "emphasis": {"disabled": True},
        }
        steps = {} if top is None else {"interval": top / 4}
        self._chart = ui.echart(
            {
                "animation": False,
                "grid": {"left": 2, "right": EDGE, "top": 8, "bottom": 2, "containLabel": True},
                "tooltip": {"trigger": "axis", **TOOLTIP},
                "xAxis": axis("time", splitNumber=3),
                "yAxis": axis("value", min=0, max=top, minInterval=1, splitNumber=3, **steps),
                "series": [curve],
            }
        )
        self._chart.classes("chart").props(f'role="img" aria-label="{label}"')

    def show(self, points: list[list[float | None]]) -> None:
        """Show points, each a pair of milliseconds and value; without a value the curve is cut."""
        self._chart.options["series"][0]["data"] = points
        self._chart.update()
