"""The command ``console``: a prompt for the commands of one environment."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from concurrent_framework.cli.options import EnvironmentPath

if TYPE_CHECKING:
    from concurrent_framework.cli.console_commands import ConsoleCommands


def console(path: EnvironmentPath) -> int:
    """Type commands for one environment, with completion; without a terminal, read them from stdin.

    Lines that are read from a file or pipe are done until one fails; its exit code is that of all.
    """
    from concurrent_framework.cli.console_commands import ConsoleCommands
    from concurrent_framework.cli.opening import opened_as_it_is

    commands = ConsoleCommands(opened_as_it_is(path))
    if sys.stdin.isatty() and sys.stdout.isatty():
        from concurrent_framework.cli.prompt import converse

        return converse(commands)
    return _read_all(commands)


def _read_all(commands: ConsoleCommands) -> int:
    for line in sys.stdin:
        code = commands.do(line)
        sys.stdout.flush()
        if code or commands.over:
            return code
    return 0
