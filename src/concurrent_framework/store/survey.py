"""Reading a journal from its first entry on, as far as it is good."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    from concurrent_framework.store.engine import Trouble
    from concurrent_framework.store.tables import Tables

AT_ONCE = 4 * 1024 * 1024
"""Bytes of entries that are in memory at a time."""


class Survey(NamedTuple):
    """What is good in a journal.

    Args:
        first: number of the first entry.
        head: number of the last good one; ``first - 1`` if there is none.
        bytes: size of the data of the good ones.
        fault: what is wrong behind them, empty if nothing is.

    """

    first: int = 1
    head: int = 0
    bytes: int = 0
    fault: str = ""


def survey(
    tables: Tables, first: int | None, fault: str, explain: Callable[[Exception], Trouble | None]
) -> Survey:
    """Read all entries and compare them with their checksums.

    Args:
        tables: of the journal.
        first: number that the first entry should have, None if that is not known.
        fault: what is wrong anyway.
        explain: tells damage from other trouble, which is raised.

    """
    lowest = tables.lowest()
    if first is None:
        first = lowest or 1
    elif lowest and lowest < first:
        # Rows go together with the change of what is said of them, so these were never dropped.
        first, fault = lowest, fault or f"it should begin with entry {first}, not {lowest}"
    head, size, limit = first - 1, 0, AT_ONCE
    while True:
        try:
            rows = tables.read(head, limit)
        except Exception as error:
            trouble = explain(error)
            if trouble is None or trouble.kind != "damaged":
                raise
            if not limit:
                return Survey(first, head, size, trouble.text)
            limit = 0  # from here on one by one, up to the last that can be read
            continue
        if not rows:
            return Survey(first, head, size, fault)
        for row in rows:
            if row.number != head + 1:
                return Survey(first, head, size, f"entry {head + 1} is missing")
            if wrong := row.fault():
                return Survey(first, head, size, f"entry {row.number} {wrong}")
            head = row.number
            size += len(row.data)
