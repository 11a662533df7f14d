"""The picture of a genome's curvature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from concurrent_framework.samples.dnacurve.wedge import MARGIN

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes

    from concurrent_framework.samples.dnacurve.genome import Genome, Landmark
    from concurrent_framework.samples.dnacurve.peaks import Peak
    from concurrent_framework.samples.dnacurve.wedge import Vectors

COLUMNS = 1200
"""The whole genome is drawn as the highest value in each of so many stretches."""

CLOSE_UP = 400
"""Base pairs shown on either side of the sharpest curve."""

ANGLE_COLOUR, CURVATURE_COLOUR, SITE_COLOUR = "#1d4e89", "#f79256", "#00b2ca"


def plot(
    genome: Genome, values: Vectors, peaks: list[Peak], landmarks: list[Landmark], path: Path
) -> None:
    """Draw the whole genome and, below, the surroundings of its sharpest curve with a name.

    Raises:
        OSError: the file cannot be written.

    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12, 7), dpi=130, layout="constrained")
    whole, close = figure.subplots(2, 1)
    positions = np.arange(values.shape[1], dtype=np.float64) + MARGIN + 1
    _draw_whole(whole, positions, values[2])
    _mark(whole, landmarks)
    for peak in peaks:
        whole.plot(peak.position, peak.angle, "v", color=CURVATURE_COLOUR, markersize=5)
    whole.set_title(f"Curvature of {genome.name}", loc="left", weight="bold")
    if peaks:
        centre = next((peak for peak in peaks if peak.near), peaks[0]).position
        shown = np.abs(positions - centre) <= CLOSE_UP
        close.plot(positions[shown], values[0][shown], color=CURVATURE_COLOUR, label="curvature")
        close.plot(positions[shown], values[2][shown], color=ANGLE_COLOUR, label="curve angle")
        _mark(close, [site for site in landmarks if abs(site.start - centre) <= CLOSE_UP])
        close.set_title(f"around base pair {centre:,}", loc="left")
        close.legend(loc="upper right", frameon=False)
    for axes in (whole, close):
        axes.set_ylabel("relative to a nucleosome")
        axes.margins(x=0)
        axes.set_ylim(0, 1.12 * axes.get_ylim()[1])
        axes.spines[["top", "right"]].set_visible(False)
        axes.xaxis.set_major_formatter("{x:,.0f}")
    close.set_xlabel("base pair")
    figure.savefig(path)


def _draw_whole(axes: Axes, positions: Vectors, angle: Vectors) -> None:
    """Draw the largest curve angle in each of many stretches, so that no peak is lost."""
    starts = np.unique(np.linspace(0, angle.size, COLUMNS + 1).astype(int)[:-1])
    highest = np.maximum.reduceat(angle, starts)
    axes.fill_between(positions[starts], highest, color=ANGLE_COLOUR, alpha=0.25, linewidth=0)
    axes.plot(positions[starts], highest, color=ANGLE_COLOUR, linewidth=0.6)


def _mark(axes: Axes, landmarks: list[Landmark]) -> None:
    for site in landmarks:
        axes.axvspan(site.start, site.end, color=SITE_COLOUR, alpha=0.35, linewidth=1.5)
        axes.annotate(
            site.name,
            (site.end, 0.97),
            xycoords=("data", "axes fraction"),
            xytext=(4, 0),
            textcoords="offset points",
            color=SITE_COLOUR,
            va="top",
        )
