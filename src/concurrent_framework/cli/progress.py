"""The progress bar of `concurrent run`: it stays at the bottom, what is printed scrolls above it."""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.application.console import PlainDisplay
from concurrent_framework.cli.exits import coloured

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from concurrent_framework.application.console import Display

PATIENCE = 0.4
"""Seconds a run may take without a bar: short ones need none, and rich takes time to load."""
INTERVAL = 0.1
"""Seconds between two looks of the bar at the figures."""


class Figures(NamedTuple):
    """How far the application is; a total of 0 is not known."""

    done: float
    total: float
    message: str


class ProgressDisplay:
    """Shows progress as a bar, once an application has taken longer than a moment.

    Args:
        title: stands before the bar.
        console: where the bar is drawn; None for stderr.

    """

    def __init__(self, title: str, console: Console | None = None) -> None:
        self._title = title
        self._console = console
        self._plain = PlainDisplay()
        self._figures: Figures | None = None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="concurrent-progress", daemon=True)
        self._thread.start()

    def line(self, text: str, *, error: bool) -> None:
        """Write a line; while the bar is shown, sys.stdout and sys.stderr lead above it."""
        self._plain.line(text, error=error)

    def progress(self, done: float, total: float, message: str) -> None:
        """Note how far the application is; the bar looks at it ten times a second."""
        self._figures = Figures(done, total, message)

    def close(self) -> None:
        """Leave the bar as it is at the end, and give the terminal back."""
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        if self._over.wait(PATIENCE):
            return
        while self._figures is None:
            if self._over.wait(INTERVAL):
                return
        bar = Bar(self._title, self._console)
        with bar:
            while not self._over.wait(INTERVAL):
                bar.show(self._figures)
            bar.show(self._figures)


class Bar:
    """One line of rich's progress display, with a rate and the time that is left."""

    def __init__(self, title: str, console: Console | None = None) -> None:
        self._progress = _make(console)
        self._streams = (sys.stdout, sys.stderr)
        self._task: TaskID = self._progress.add_task(title, total=None, message="")

    def __enter__(self) -> None:
        from concurrent_framework.cli.above import Above

        out, err = self._streams
        self._progress.start()
        if out.isatty():
            sys.stdout = Above(out, self._progress.console)
        sys.stderr = Above(err, self._progress.console)

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        sys.stdout, sys.stderr = self._streams
        self._progress.stop()

    def show(self, figures: Figures) -> None:
        """Draw these figures."""
        self._progress.update(
            self._task,
            completed=figures.done,
            total=figures.total or None,
            message=figures.message,
            refresh=True,
        )


def display_for(title: str, *, quiet: bool) -> Display:
    """Return a bar where a person watches, plain lines where output is piped."""
    if quiet or not coloured(sys.stderr):
        return PlainDisplay()
    return ProgressDisplay(title)


def _make(console: Console | None) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn
    from rich.progress import ProgressColumn as Column
    from rich.progress import Task as Row
    from rich.text import Text

    from concurrent_framework.cli.amounts import count, rate, span

    class Amount(Column):
        def render(self, task: Row) -> Text:
            if not task.total:
                return Text(count(task.completed), "cyan")
            return Text(
                f"{count(task.completed)}/{count(task.total)} {task.percentage:3.0f}%", "cyan"
            )

    class Pace(Column):
        def render(self, task: Row) -> Text:
            speed = task.finished_speed or task.speed
            return Text(rate(speed) if speed else "", "dim")

    class Left(Column):
        def render(self, task: Row) -> Text:
            if task.finished:
                return Text(f"in {span(task.finished_time or 0)}", "green")
            if task.total and task.time_remaining is not None:
                seconds = max(1.0, task.time_remaining)
                left = f"{seconds:.0f} s" if seconds < 60 else span(seconds)
                return Text(f"{left} left", "magenta")
            return Text(span(task.elapsed or 0), "magenta")

    # A console that looks up sys.stderr itself would find what stands in for it.
    console = console or Console(file=sys.stderr)
    return Progress(
        SpinnerColumn(finished_text="[green]✓"),
        TextColumn("[bold]{task.description}", markup=True),
        BarColumn(bar_width=None, complete_style="cyan", finished_style="green"),
        Amount(),
        Pace(),
        Left(),
        TextColumn("{task.fields[message]}", markup=False, style="dim"),
        console=console,
        auto_refresh=False,
        expand=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
