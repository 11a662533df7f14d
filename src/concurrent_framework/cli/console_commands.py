"""What can be typed in an environment's console, and which command line each stands for."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.cli.exits import OK, USAGE, complain
from concurrent_framework.cli.plugged import run_plugged, summaries
from concurrent_framework.components import IApp
from concurrent_framework.config.nearest import nearest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from concurrent_framework.environment import Environment

PATH = "PATH"


class Form(NamedTuple):
    """How a console's command is spelled on the command line; ``PATH`` is the environment's."""

    words: tuple[str, ...]
    help: str


FORMS = {
    "status": Form(("status", PATH), "what runs here, its master and workers"),
    "launch": Form(("env", "launch", PATH, "--background"), "start it; it stays when you leave"),
    "stop": Form(("env", "stop", PATH), "end it"),
    "logs": Form(("logs", PATH), "show the log; -f follows it"),
    "apps": Form(("apps", "--join", PATH), "applications of its master, with progress"),
    "ps": Form(("ps", "--join", PATH), "unfinished tasks"),
    "top": Form(("top", "--join", PATH), "the cluster, live; q ends it"),
    "explain": Form(("explain", "--join", PATH), "why a task is not running"),
    "failed": Form(("failed", "--join", PATH), "failed tasks that are kept"),
    "show": Form(("show", "--join", PATH), "everything about a task"),
    "cancel": Form(("cancel", "--join", PATH), "cancel an application or a task"),
    "retry": Form(("retry", "--join", PATH), "attempt failed tasks again"),
    "pause": Form(("pause", "--join", PATH), "hand out no more of an application"),
    "resume": Form(("resume", "--join", PATH), "go on with an application or a worker"),
    "drain": Form(("drain", "--join", PATH), "let a worker finish, and give it nothing new"),
    "dashboard": Form(("dashboard", PATH), "open it in the browser; --print its link"),
    "config": Form(("config", PATH), "options with their values; --explain SECTION.KEY, --check"),
    "plugins": Form(("plugins", PATH), "components; enable NAME, disable NAME"),
    "app": Form(("env", "app", PATH), "what it launches; with a NAME, set it"),
    "backup": Form(("env", "backup", PATH), "save it into one file"),
    "upgrade": Form(("env", "upgrade", PATH), "bring it to this version, after a backup"),
}
HELP, EXIT = "help", ("exit", "quit")


class ConsoleCommands:
    """Does what is typed.

    Args:
        environment: what the commands are about.

    """

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self.title = environment.title
        self.path = environment.layout.root
        self.over = False
        """Whether somebody has typed ``exit``."""
        self._plugged = summaries(environment.components)

    def names(self) -> list[str]:
        """Return everything that can be typed first."""
        own = [name for name in self._plugged if name not in FORMS]
        return [*FORMS, *own, HELP, *EXIT]

    def do(self, line: str) -> int:
        """Do what a line says and return its exit code; errors are told on stderr."""
        try:
            words = shlex.split(line, comments=True)
        except ValueError as error:
            complain(f"{line.strip()}: {str(error).lower()}")
            return USAGE
        if not words:
            return OK
        name, rest = words[0], words[1:]
        if name in EXIT:
            self.over = True
            return OK
        from concurrent_framework.cli.main import main, telling_errors

        if name == HELP:
            return self._help(rest)
        if name in FORMS:
            return main([*self._spelled(name), *rest])
        if name in self._plugged:
            return telling_errors(lambda: run_plugged(self._environment.components, name, rest))
        near = nearest(name, self.names())
        hint = f"did you mean {near!r}? " if near else ""
        complain(f"there is no command {name!r}; {hint}`help` lists them")
        return USAGE

    def options(self, name: str) -> list[str]:
        """Return the options of a command, for completion."""
        from typer.main import get_command

        from concurrent_framework.cli.app import app

        command = get_command(app)
        for word in FORMS[name].words:
            command = getattr(command, "commands", {}).get(word, command)
        found = [one for parameter in command.params for one in parameter.opts]
        return [one for one in found if one.startswith("--") and one != "--join"]

    def arguments(self, name: str) -> dict[str, list[str]]:
        """Return what may follow a command, and what may follow that, for completion."""
        components = self._environment.components
        if name == HELP:
            return {one: [] for one in self.names()}
        if name not in FORMS:
            return {}
        found: dict[str, list[str]] = {option: [] for option in self.options(name)}
        if name == "plugins":
            known = list(dict.fromkeys(row.name for row in components.describe()))
            found |= {"enable": known, "disable": known}
        elif name == "config":
            options = [f"{row.section}.{row.key}" for row in self._environment.describe()]
            found["--explain"] = options
        elif name == "app":
            found |= {one: [] for one in components.names(IApp)}
        return found

    def _spelled(self, name: str) -> Iterator[str]:
        for word in FORMS[name].words:
            yield str(self.path) if word == PATH else word

    def _help(self, words: list[str]) -> int:
        if words and words[0] in FORMS:
            from concurrent_framework.cli.main import main

            return main([*self._spelled(words[0]), "--help"])
        rows = {name: form.help for name, form in FORMS.items()} | self._plugged
        rows |= {"help": "this; `help COMMAND` says more", "exit": "leave; what runs goes on"}
        width = max(map(len, rows)) + 2
        for name, text in rows.items():
            print(f"  {name:<{width}}{text}")
        return OK
