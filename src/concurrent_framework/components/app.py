"""The interface of whatever an environment launches: a master, a worker, a user's application."""

from __future__ import annotations

from concurrent_framework.components.interface import Interface


class IApp(Interface):
    """Something that can be launched. ``ApplicationNode`` implements it for its subclasses."""

    def app_init(self) -> None:
        """Get ready: open what is needed. Called once, before `app_main`."""

    def app_main(self) -> int:
        """Run until done and return the exit code of the process, 0 for success."""
