"""Commands that change what gets work: ``pause``, ``resume``, ``priority``, ``drain``, ``retry``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from concurrent_framework.cli.amounts import count
from concurrent_framework.cli.control import Application
from concurrent_framework.cli.options import Join, Json

if TYPE_CHECKING:
    from concurrent_framework.protocol.application import QueryKind


def pause(application: Application, join: Join = "", as_json: Json = False) -> None:
    """Hand out no more tasks of an application; those that run go on."""
    done = _order(join, "pause", application=application)
    _tell(
        done,
        f"application {done['application']} ({done['name']}) is paused: "
        f"{_tasks(done['waiting'])} waiting, {count(done['running'])} still running; "
        f"go on with: concurrent resume {done['application']}",
        as_json=as_json,
    )


def resume(
    target: Annotated[
        str,
        typer.Argument(
            metavar="APP | WORKER",
            help="An application that is paused, or a worker that is drained or quarantined.",
            show_default=False,
        ),
    ],
    join: Join = "",
    as_json: Json = False,
) -> None:
    """Go on with an application that was paused, or give work to a worker again."""
    done = _order(join, "resume", target=target)
    if "worker" in done:
        text = f"worker {done['worker']} gets work again"
    else:
        text = f"application {done['application']} ({done['name']}) goes on"
    _tell(done, text, as_json=as_json)


def priority(
    application: Application,
    value: Annotated[
        int | None,
        typer.Argument(
            metavar="N",
            help="What is added to the priority of each of its tasks; higher goes first.",
            show_default=False,
        ),
    ] = None,
    weight: Annotated[
        float | None,
        typer.Option(
            "--weight",
            metavar="W",
            help="Its share relative to other applications of the same priority.",
            show_default=False,
        ),
    ] = None,
    join: Join = "",
    as_json: Json = False,
) -> None:
    """Set how an application stands relative to others, while it runs."""
    given: dict[str, Any] = {"application": application, "priority": value, "weight": weight}
    done = _order(join, "priority", **given)
    text = (
        f"application {done['application']} ({done['name']}): "
        f"priority {done['priority']:+d}, weight {done['weight']:g}"
    )
    _tell(done, text, as_json=as_json)


def drain(
    worker: Annotated[
        str,
        typer.Argument(
            metavar="WORKER", help="Its name, as `concurrent status` shows it.", show_default=False
        ),
    ],
    join: Join = "",
    as_json: Json = False,
) -> None:
    """Let a worker finish what it has, and give it nothing new."""
    done = _order(join, "drain", worker=worker)
    text = (
        f"worker {done['worker']} gets nothing new; it has {_tasks(done['tasks'])} to finish; "
        f"undo with: concurrent resume {done['worker']}"
    )
    _tell(done, text, as_json=as_json)


def retry(
    target: Annotated[
        str,
        typer.Argument(
            metavar="TASK | APP",
            help="A failed task (3/17), or an application (3, or its name) for all of its own.",
            show_default=False,
        ),
    ],
    join: Join = "",
    as_json: Json = False,
) -> None:
    """Attempt failed tasks again, also if their application has ended."""
    done = _order(join, "retry", target=target)
    text = f"{_tasks(done['retried'])} attempted again, as {', '.join(done['tasks'][:5])}"
    if len(done["tasks"]) > 5:
        text += " …"
    for one in done["applications"]:
        if one["state"] == "running":
            text += f"; application {one['application']} ({one['name']}) gets the outcome"
        else:
            text += f"; the outcome: concurrent attach {one['application']}"
    _tell(done, text, as_json=as_json)


def _order(join: str, kind: QueryKind, **arguments: Any) -> dict[str, Any]:
    from concurrent_framework.cli.locating import master_of
    from concurrent_framework.launch.client import order

    answer: dict[str, Any] = order(master_of(join, embedded=True), kind, arguments)
    return answer


def _tell(done: dict[str, Any], text: str, *, as_json: bool) -> None:
    print(json.dumps(done) if as_json else text)


def _tasks(number: int) -> str:
    return f"{count(number)} task{'' if number == 1 else 's'}"
