"""Commands that change what a master does: ``attach`` and ``cancel``."""

from __future__ import annotations

from typing import Annotated

import typer

from concurrent_framework.cli.options import Join, Json
from concurrent_framework.cli.run_options import RunOptions

Application = Annotated[
    str,
    typer.Argument(
        metavar="APP",
        help="The application's number or name, as `concurrent apps` shows it.",
        show_default=False,
    ),
]


def attach(
    application: Application,
    target: Annotated[
        str,
        typer.Argument(
            metavar="TARGET",
            help="Whose work_finished and task_finished to call; default: just print the outcome.",
            show_default=False,
        ),
    ] = "",
    arguments: Annotated[
        list[str] | None, typer.Argument(metavar="ARGUMENTS", show_default=False)
    ] = None,
    join: Join = "",
) -> int:
    """Get the outcome of an application that was started with --detach; waits for it."""
    from concurrent_framework.cli import attaching

    options = RunOptions(target=target, join=join, arguments=tuple(arguments or ()))
    return attaching.attach(application, options)


def cancel(
    target: Annotated[
        str,
        typer.Argument(
            metavar="APP | TASK",
            help="An application (3, or its name) or one of its tasks (3/17).",
            show_default=False,
        ),
    ],
    join: Join = "",
    as_json: Json = False,
) -> None:
    """Cancel a task, or everything of an application."""
    from concurrent_framework.cli.locating import master_of
    from concurrent_framework.launch.client import order

    answer = order(master_of(join, embedded=True), "cancel", {"target": target})
    if as_json:
        import json

        print(json.dumps(answer))
    else:
        number = answer["cancelled"]
        print(f"cancelled {number} task{'' if number == 1 else 's'} of {target}")
