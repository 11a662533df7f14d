"""Pictures of the results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks import catalog

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from benchmarks.measures.measure import Measure
    from benchmarks.own.measure import OwnFound
    from benchmarks.summary import Found

OURS, THEIRS = "#00796b", "#b0bec5"


def draw(found: Found, own: Sequence[OwnFound], directory: Path) -> list[str]:
    """Draw a picture per measure into a directory; return their names."""
    import matplotlib as mpl

    mpl.use("Agg")
    directory.mkdir(exist_ok=True)
    names = [
        f"{name}.png"
        for name in found.measures
        if _bars(found, catalog.measure(name), directory / f"{name}.png")
    ]
    if "metg" in found.measures:
        _efficiency(found, directory / "efficiency.png")
        names.append("efficiency.png")
    for one in own:
        if one.points:
            _line(one, directory / f"{one.name}.png")
            names.append(f"{one.name}.png")
    return names


def _figure(width: float, height: float) -> tuple[Any, Any]:
    from matplotlib import pyplot as plt

    return plt.subplots(figsize=(width, height), layout="constrained")


def _save(figure: Any, path: Path) -> None:
    from matplotlib import pyplot as plt

    figure.savefig(path, dpi=110, metadata={"Software": None})
    plt.close(figure)


def _bars(found: Found, measure: Measure, path: Path) -> bool:
    shown = measure.shown[0]
    bars = [
        (summary.median, summary, system)
        for system in found.systems
        if (summary := found.summary(system, measure.name, shown.key)) is not None
    ]
    if not bars:
        return False
    bars.sort(reverse=shown.better == "less")
    figure, axes = _figure(7, 0.8 + 0.36 * len(bars))
    names = [catalog.peer(system).name for _, _, system in bars]
    colours = [OURS if system == catalog.OURS else THEIRS for _, _, system in bars]
    medians = [value for value, _, _ in bars]
    errors = [
        [summary.median - summary.lowest for _, summary, _ in bars],
        [summary.highest - summary.median for _, summary, _ in bars],
    ]
    axes.barh(names, medians, xerr=errors, color=colours, ecolor="#546e7a")
    axes.set_xscale("log")
    axes.set_xlabel(f"{shown.unit} ({shown.better} is better)")
    axes.set_title(f"{measure.title}: {shown.title}")
    _save(figure, path)
    return True


def _efficiency(found: Found, path: Path) -> None:
    figure, axes = _figure(7, 4.5)
    for system in found.systems:
        curve = found.curve(system, "metg")
        if curve:
            ours = system == catalog.OURS
            axes.plot(
                [length for length, _ in curve],
                [value for _, value in curve],
                marker=".",
                label=catalog.peer(system).name,
                linewidth=2.5 if ours else 1,
                color=OURS if ours else None,
            )
    for goal in (0.5, 0.9):
        axes.axhline(goal, color=THEIRS, linestyle=":")
    axes.set_xscale("log")
    axes.set_xlabel("processor time of a task, ms")
    axes.set_ylabel("efficiency")
    axes.set_title("How much of the processors is work")
    axes.legend(fontsize="small")
    _save(figure, path)


def _line(one: OwnFound, path: Path) -> None:
    figure, axes = _figure(7, 3.5)
    axes.plot(*zip(*one.points, strict=True), marker="o", color=OURS)
    axes.set_xscale("log")
    axes.set_ylim(bottom=0)
    axes.set_xlabel(one.head[0])
    axes.set_ylabel(one.head[1])
    axes.set_title(one.title)
    _save(figure, path)
