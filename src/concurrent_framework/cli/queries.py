"""Commands that look at a master and change nothing: ``status``, ``apps``, ``ps`` and the like."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from concurrent_framework.cli.asking import ask
from concurrent_framework.cli.options import Join, Json
from concurrent_framework.model.errors import UsageError


def status(
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="An environment that runs: its master, or the one it has joined.",
            show_default=False,
        ),
    ] = "",
    join: Join = "",
    as_json: Json = False,
) -> None:
    """Show the master, its workers, and how much work there is."""
    if path and join:
        message = "an environment's path and --join name two masters: give one of them"
        raise UsageError(message)
    about = {}
    if path:
        from concurrent_framework.cli.locating import runner_of

        about = {"environment": runner_of(path)}
        join = os.path.join(path, "")  # a path, and never taken for anything else
    answer = {**about, **ask(join, "status"), "nodes": ask(join, "workers")}
    if as_json:
        _print_json(answer)
        return
    from concurrent_framework.cli.tables import show_environment, show_status

    if about:
        show_environment(about["environment"])
    show_status(answer)


def apps(
    join: Join = "",
    everything: Annotated[
        bool, typer.Option("--all", "-a", help="Those that have ended, too.")
    ] = False,
    as_json: Json = False,
) -> None:
    """List the applications the master knows, and how far each has come."""
    answer = ask(join, "applications", {"ended": everything})
    if as_json:
        _print_json(answer)
        return
    from concurrent_framework.cli.tables import show_applications

    show_applications(answer)


def ps(
    application: Annotated[
        str,
        typer.Argument(
            metavar="APP",
            help="Only this application's, by number or name.",
            show_default=False,
        ),
    ] = "",
    join: Join = "",
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, metavar="N", help="List at most N tasks.")
    ] = 50,
    as_json: Json = False,
) -> None:
    """List unfinished tasks, the running ones first."""
    answer = ask(join, "tasks", {"limit": limit, "application": application})
    if as_json:
        _print_json(answer)
        return
    from concurrent_framework.cli.tables import show_tasks

    show_tasks(answer)


def explain(
    task: Annotated[
        str, typer.Argument(metavar="TASK", help="As `ps` shows it: 3/17.", show_default=False)
    ],
    join: Join = "",
    as_json: Json = False,
) -> None:
    """Say why a task is not running, or where it is."""
    answer = ask(join, "explain", {"task": task})
    if as_json:
        _print_json(answer)
    else:
        print(f"{answer['task']}: {answer['text']}")


def failed(
    application: Annotated[
        str,
        typer.Argument(
            metavar="APP",
            help="Only this application's, by number or name, also if it has ended.",
            show_default=False,
        ),
    ] = "",
    join: Join = "",
    as_json: Json = False,
) -> None:
    """List tasks that failed and can be looked at or attempted again."""
    answer = ask(join, "failed", {"application": application})
    if as_json:
        _print_json(answer)
        return
    from concurrent_framework.cli.failures_shown import show_failed

    show_failed(answer)


def show(
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK", help="As `ps` or `failed` shows it: 3/17.", show_default=False
        ),
    ],
    join: Join = "",
    as_json: Json = False,
) -> None:
    """Show everything about a task: its settings, attempts, error, traceback and last words."""
    answer = ask(join, "show", {"task": task})
    if as_json:
        _print_json(answer)
        return
    from concurrent_framework.cli.failures_shown import show_task

    show_task(answer)


def _print_json(answer: Any) -> None:
    import json

    print(json.dumps(answer, indent=2))
