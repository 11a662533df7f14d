"""The prompt of an environment's console, on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.completion import Completer, Completion
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.shortcuts import CompleteStyle

from concurrent_framework.environment.layout import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

    from concurrent_framework.cli.console_commands import ConsoleCommands

HISTORY = "console-history"


def converse(commands: ConsoleCommands) -> int:
    """Read and do commands until somebody leaves, by ``exit`` or Ctrl-D."""
    print(f"{commands.title} in {commands.path}; `help` lists the commands, Ctrl-D leaves")
    session: PromptSession[str] = PromptSession(
        completer=Suggestions(commands),
        complete_style=CompleteStyle.READLINE_LIKE,  # as in shells: Tab completes at once
        complete_while_typing=False,
        history=_history(Layout(commands.path)),
    )
    while not commands.over:
        try:
            line = session.prompt(f"{commands.title}> ")
        except KeyboardInterrupt:
            continue
        except EOFError:
            break
        commands.do(line)
    return 0


def _history(layout: Layout) -> History:
    """Return what was typed before; where nothing can be written, it ends with the console."""
    try:
        layout.make_folders()
        (layout.run / HISTORY).touch(0o600)
    except OSError:
        return InMemoryHistory()
    return FileHistory(str(layout.run / HISTORY))


class Suggestions(Completer):
    """Completes commands, their options, and the names of plug-ins, options and applications.

    Args:
        commands: what can be typed.

    """

    def __init__(self, commands: ConsoleCommands) -> None:
        self._commands = commands

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterator[Completion]:
        """Yield what the word before the cursor may become."""
        del complete_event
        *before, word = document.text_before_cursor.split(" ") or [""]
        before = [one for one in before if one]
        for one in self._fitting(before):
            if one.startswith(word):
                yield Completion(one, -len(word))

    def _fitting(self, before: list[str]) -> list[str]:
        if not before:
            return self._commands.names()
        following = self._commands.arguments(before[0])
        return following.get(before[-1]) or list(following)
