"""How applications and clusters show themselves in notebooks."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from concurrent_framework.application.node import ApplicationNode

INTERVAL = 0.5
"""Seconds between two pictures of a live widget."""
_BOX = (
    "display:inline-block;min-width:320px;padding:10px 14px;border:1px solid #8a979e66;"
    "border-radius:10px;font:13px/1.5 system-ui,sans-serif"
)
_TRACK = "height:6px;border-radius:6px;background:#8a979e44;margin:6px 0;overflow:hidden"


def picture(title: str, state: str, facts: Mapping[str, object], share: float | None = None) -> str:
    """Return a small picture as HTML that needs nothing else.

    Args:
        title: what is shown.
        state: how it is, in a word.
        facts: figures by their names.
        share: how much is done, 0 to 1; None for no bar.

    Example:
        >>> "<b>Hello</b>" in picture("Hello", "running", {"finished": 3}, 0.5)
        True

    """
    bar = ""
    if share is not None:
        width = f"{100 * min(1.0, max(0.0, share)):.0f}%"
        bar = (
            f'<div style="{_TRACK}" role="progressbar" aria-valuenow="{width[:-1]}">'
            f'<div style="height:100%;width:{width};background:#14a098"></div></div>'
        )
    shown = " · ".join(f"{escape(str(value))} {escape(name)}" for name, value in facts.items())
    return (
        f'<div style="{_BOX}"><b>{escape(title)}</b> '
        f'<span style="opacity:.7">{escape(state)}</span>{bar}<div>{shown}</div></div>'
    )


def picture_of(application: ApplicationNode) -> str:
    """Return a picture of an application: its state, its counts, and how far it is."""
    stats = application.known_stats
    if stats is None:
        return picture(application.full_name, "not started", {})
    ended = stats.finished + stats.failed
    total = ended + stats.outstanding
    facts = {
        "finished": f"{stats.finished:,}",
        "failed": f"{stats.failed:,}",
        "to come": f"{stats.outstanding:,}",
        "executors": f"{stats.executors:,}",
    }
    state = "running" if stats.outstanding else "done"
    return picture(application.full_name, state, facts, ended / total if total else 0.0)


def progress_widget(application: ApplicationNode, interval: float = INTERVAL) -> Any:
    """Return a widget that shows an application live, until it has nothing left to do.

    Args:
        application: it is running: call this in ``start_processing`` after pushing tasks.
        interval: seconds between two pictures.

    Raises:
        UsageError: ipywidgets is not installed.

    Example:
        ::

            def start_processing(self):
                self.push_tasks(...)
                display(progress_widget(self))

    """
    from importlib import import_module

    try:
        widgets = import_module("ipywidgets")
    except ImportError:
        message = "the live progress needs ipywidgets: pip install ipywidgets"
        raise UsageError(message) from None
    import threading

    widget = widgets.HTML(picture_of(application))
    follower = threading.Thread(
        target=follow,
        args=(application, lambda text: setattr(widget, "value", text), interval),
        name="concurrent-progress",
        daemon=True,
    )
    follower.start()
    return widget


def follow(
    application: ApplicationNode, show: Callable[[str], None], interval: float = INTERVAL
) -> None:
    """Show pictures of an application until it has nothing left to do, the last one then."""
    import time

    while True:
        stats = application.known_stats
        show(picture_of(application))
        if stats is not None and not stats.outstanding:
            return
        time.sleep(interval)
