"""How failed tasks, and everything about one task, look on a terminal."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.text import Text

from concurrent_framework.cli.amounts import age, size, span
from concurrent_framework.cli.tables import make_table, out
from concurrent_framework.model.report import signal_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_PLAIN = (("name", "name"), ("class", "class"), ("application_name", "application"))


def show_failed(answer: Sequence[Mapping[str, Any]]) -> None:
    """Print a table of failed tasks, and what to do with them."""
    console = out()
    if not answer:
        console.print("no failed tasks")
        return
    table = make_table("TASK>", "NAME~", "APPLICATION~", "ERROR~", "WORKER~", "TRIES>", "AGO>")
    for one in answer:
        error = one["message"] if one["type"] in one["message"] else _error(one)
        if one["retried_as"]:
            error += f" (attempted again as {one['retried_as']})"
        table.add_row(
            one["task"],
            Text(one["name"], "bold"),
            one["application_name"],
            Text(error),
            one["worker"] or Text("-", "dim"),
            str(one["attempts"]) if one["attempts"] else Text("-", "dim"),
            age(one["ago"]),
        )
    console.print(table)
    hint = "  all about one: concurrent show TASK; once more: concurrent retry TASK"
    console.print(Text(hint, "dim"))


def show_task(answer: Mapping[str, Any]) -> None:
    """Print everything that is known of a task."""
    console = out(soft_wrap=True)
    console.print(Text.assemble((str(answer["task"]), "bold"), f": {answer['text']}"))
    if "name" not in answer:
        return
    for label, text in _facts(answer):
        console.print(Text.assemble((f"  {label:<12}", "dim"), text))
    if answer["history"]:
        console.print(Text("  attempts", "dim"))
        for one in answer["history"]:
            console.print(Text(f"    {_attempt(one)}"))
    for label in ("traceback", "stderr"):
        if answer.get(label):
            console.print(Text(f"  {label}", "dim"))
            for line in str(answer[label]).rstrip().splitlines():
                console.print(Text(f"    {line}"))


def _facts(answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, label in _PLAIN:
        if answer.get(key):
            yield label, str(answer[key])
    if answer.get("message"):
        yield "error", _error(answer)
    if answer.get("worker"):
        yield "worker", str(answer["worker"])
    if answer.get("exit_code") is not None:
        yield "exit code", str(answer["exit_code"])
    if answer.get("signal"):
        yield "signal", signal_name(answer["signal"])
    if answer.get("peak_memory"):
        yield "peak memory", size(answer["peak_memory"])
    if answer.get("suspect", "unknown") != "unknown":
        yield "suspect", f"the {answer['suspect']}"
    yield "data", size(answer["payload_bytes"])
    if answer.get("settings"):
        yield "settings", ", ".join(_settings(answer["settings"]))


def _settings(settings: Mapping[str, Any]) -> Iterator[str]:
    """Yield what a task asks for beyond the attempts that it always has."""
    yield f"max_attempts {settings['max_attempts']}"
    for name in ("priority", "timeout", "deadline", "backoff"):
        if settings[name]:
            yield f"{name} {settings[name]:g}"
    if settings["retry_on"]:
        yield f"retry_on {' '.join(settings['retry_on'])}"
    if not settings["idempotent"]:
        yield "not idempotent"


def _attempt(one: Mapping[str, Any]) -> str:
    began = datetime.fromtimestamp(one["started"]).astimezone()
    took = span(one["ended"] - one["started"])
    return f"{one['number']}. on {one['worker']}, {began:%H:%M:%S} for {took}: {one['end']}"


def _error(one: Mapping[str, Any]) -> str:
    return f"{one['type']}: {one['message']}"
