"""Tells whether Python is in the middle of importing somebody's module."""

from __future__ import annotations

import sys


def being_imported() -> str:
    """Return the module whose top level is being run by an import right now; empty if none is.

    Executors and `concurrent run` import the module that an application is in. What stands there at
    the top level must not start the application again.
    """
    frame = sys._getframe(1)  # noqa: SLF001 (the documented way to look at the call stack)
    while frame is not None:
        name = frame.f_globals.get("__name__", "")
        if frame.f_code.co_name == "<module>" and name != "__main__":
            module = sys.modules.get(name)
            # Doctests and the like run code in a copy of a module's names: that is no import.
            if module is not None and vars(module) is frame.f_globals:
                return str(name)
        frame = frame.f_back  # type: ignore[assignment]
    return ""
