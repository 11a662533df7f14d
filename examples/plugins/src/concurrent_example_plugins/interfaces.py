"""A command: ``concurrent interfaces``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework import Component, implements
from concurrent_framework.components import ICommand

if TYPE_CHECKING:
    from collections.abc import Sequence


class Interfaces(Component):
    """List what can be exchanged, and by what."""

    implements(ICommand)

    def run(self, arguments: Sequence[str]) -> int:
        """Print a line for each interface that a component implements."""
        if arguments:
            print("usage: concurrent interfaces")
            return 0 if "--help" in arguments else 2
        found: dict[str, list[str]] = {}
        for row in self.components.describe():
            for interface in row.interfaces:
                found.setdefault(interface, []).append(row.name)
        for interface, names in sorted(found.items()):
            print(f"{interface:<20} {', '.join(names)}")
        return 0
