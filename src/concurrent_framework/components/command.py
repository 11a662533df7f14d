"""The interface of commands that plug-ins add to the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.components.interface import Interface

if TYPE_CHECKING:
    from collections.abc import Sequence


class ICommand(Interface):
    """A subcommand of `concurrent`, called like the component's name.

    The first line of the component's docstring says in ``concurrent --help`` what it is for.
    Installed plug-ins add theirs to the command `concurrent`, those of an environment to its console.

    Example:
        ::

            class Ping(Component):
                '''Say pong.'''
                implements(ICommand)

                def run(self, arguments):
                    print("pong", *arguments)
                    return 0

    """

    def run(self, arguments: Sequence[str]) -> int:
        """Do it and return the exit code.

        Args:
            arguments: what was typed after the name, ``--help`` included.

        """
