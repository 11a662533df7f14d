"""What components can do when something happens to their environment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.components import Interface, optional

if TYPE_CHECKING:
    from pathlib import Path

    from concurrent_framework.environment.environment import Environment


class IEnvironmentListener(Interface):
    """Hooks; a component defines those it needs.

    One that raises is reported in the log and on stderr; what was being done goes on.

    Example:
        ::

            class Journal(Component):
                implements(IEnvironmentListener)

                def backed_up(self, environment, file):
                    print(f"{environment.title} is safe in {file}")

    """

    @optional
    def created(self, environment: Environment) -> None:
        """Told after the environment was made, or restored at a new place."""

    @optional
    def opened(self, environment: Environment) -> None:
        """Told whenever the environment is opened, by any command."""

    @optional
    def launched(self, environment: Environment) -> None:
        """Told before the environment's application is initialised."""

    @optional
    def ended(self, environment: Environment, exit_code: int) -> None:
        """Told after the environment's application has ended."""

    @optional
    def backed_up(self, environment: Environment, file: Path) -> None:
        """Told after a backup was written and read back."""

    @optional
    def restored(self, environment: Environment, file: Path) -> None:
        """Told after the environment was made from a backup."""

    @optional
    def upgraded(self, environment: Environment, version: int) -> None:
        """Told after an upgrade from this version."""

    @optional
    def deleted(self, environment: Environment) -> None:
        """Told right before the environment's files are removed."""
