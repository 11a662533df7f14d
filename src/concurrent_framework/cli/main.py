"""Entry point of the command ``concurrent``: dispatches, and turns errors into one line and a code."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

from concurrent_framework.cli.exits import INTERRUPTED, OK, USAGE, complain
from concurrent_framework.model.errors import ConcurrentError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def program() -> int:
    """Be the command ``concurrent``, in a process that ends with it.

    Who presses Ctrl-C again while it ends must not break that off: the exit code is known by then.
    """
    try:
        code = main()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        return INTERRUPTED
    return code


def main(words: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code.

    Args:
        words: the command line without the program's name; None for that of this process.

    """
    typed = list(sys.argv[1:] if words is None else words)
    return telling_errors(lambda: _dispatch(typed))


def telling_errors(run: Callable[[], int]) -> int:
    """Run something and return its exit code, or that of the error that it ends with."""
    try:
        return run()
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has seen enough; the interpreter must not complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return OK
    except ConcurrentError as error:
        return _tell(error)


def _dispatch(words: list[str]) -> int:
    start = _quick_start(words)
    return start() if start is not None else _through_typer(words)


def _quick_start(words: list[str]) -> Callable[[], int] | None:
    """Return what starts an application or a node without Typer, if nothing needs explaining."""
    match words[:1]:
        case ["run"]:
            from concurrent_framework.cli.run_options import read_quickly

            options = read_quickly(words[1:])
            if options is not None:
                from concurrent_framework.cli.run import run

                return lambda: run(options)
        case ["master"]:
            from concurrent_framework.cli.node_options import read_master

            master = read_master(words[1:])
            if master is not None:
                from concurrent_framework.cli.starting import start_master

                return lambda: start_master(*master)
        case ["worker"]:
            from concurrent_framework.cli.node_options import read_worker

            worker = read_worker(words[1:])
            if worker is not None:
                from concurrent_framework.cli.starting import start_worker

                return lambda: start_worker(*worker)
    return None


def _through_typer(words: list[str]) -> int:
    import typer

    from concurrent_framework.cli.app import app, command_names
    from concurrent_framework.cli.narrowing import narrowed

    word = words[0] if words else "--help"
    if word in {"-h", "--help"} or not (word.startswith("-") or word in command_names()):
        from concurrent_framework.cli.plugged import installed_components, run_plugged, with_plugged
        from concurrent_framework.components import ICommand

        components = installed_components()
        if word in components.names(ICommand):
            return run_plugged(components, word, words[1:])
        app = with_plugged(app, components)
    try:
        code = narrowed(app, words)(words, prog_name="concurrent", standalone_mode=False)
    except typer.Abort:
        return INTERRUPTED
    except typer.TyperException as error:
        complain(_mistyped(error.format_message(), words))
        return USAGE
    return code if isinstance(code, int) else OK


def _mistyped(message: str, words: list[str]) -> str:
    hint = f"see `{_help_for(words)}`"
    if message.startswith("No such option") and words[0] == "run":
        hint = f"what an application shall get follows `--`, for the rest {hint}"
    if message.endswith("?"):
        return f"{message} {hint[0].upper()}{hint[1:]}"
    return f"{message.rstrip('.')}; {hint}"


def _help_for(words: list[str]) -> str:
    from concurrent_framework.cli.app import command_names

    known = command_names()
    named = [word for word in words if not word.startswith("-")]
    for command in (" ".join(named[:2]), " ".join(named[:1])):
        if command in known:
            return f"concurrent {command} --help"
    return "concurrent --help"


def _tell(error: ConcurrentError) -> int:
    from concurrent_framework.cli.loading import UserCodeError

    if isinstance(error, UserCodeError):
        print(error, file=sys.stderr)
    else:
        complain(str(error))
    return error.exit_code


if __name__ == "__main__":
    sys.exit(program())
