"""The transition table of a task at the master: the only place that says what may follow what. PURE.

Each event is a table from the state before to the state after; an event that a state does not allow
is a KeyError, a bug of the master. `diagram` draws the table for the documentation.
"""

from __future__ import annotations

from typing import Final

WAITING: Final = 0
"""Ready to run, in the queue."""
ASSIGNED: Final = 1
"""Handed to a worker as the record's current attempt."""
FINISHING: Final = 2
"""Its outcome is known; a host is calling `finished`."""
DONE: Final = 3
"""Its outcome is in the application's outbox; the record is dropped."""
DELAYED: Final = 4
"""An attempt has failed, and it waits out its backoff; not in the queue."""

NAMES: Final = ("waiting", "assigned", "finishing", "done", "delayed")

ASSIGN: Final = {WAITING: ASSIGNED}
ADOPT: Final = {WAITING: ASSIGNED, DELAYED: ASSIGNED}
RECALL: Final = {ASSIGNED: WAITING}
LOSE: Final = {ASSIGNED: WAITING}
DELAY: Final = {WAITING: DELAYED}
RESUME: Final = {DELAYED: WAITING}
FINISH: Final = {ASSIGNED: FINISHING, WAITING: FINISHING, DELAYED: FINISHING}
COMPLETE: Final = {ASSIGNED: DONE, WAITING: DONE, DELAYED: DONE, FINISHING: DONE}

EVENTS: Final = {
    "assign": ASSIGN,
    "adopt": ADOPT,
    "recall": RECALL,
    "lose": LOSE,
    "delay": DELAY,
    "resume": RESUME,
    "finish": FINISH,
    "complete": COMPLETE,
}


def diagram() -> str:
    """Return the table as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {NAMES[WAITING]}: submit"]
    lines += [
        f"    {NAMES[before]} --> {NAMES[after]}: {event}"
        for event, table in EVENTS.items()
        for before, after in table.items()
    ]
    return "\n".join([*lines, f"    {NAMES[DONE]} --> [*]: delivered"])
