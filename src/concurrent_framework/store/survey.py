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


def survey(tables: Tables, first: int, explain: Callable[[Exception], Trouble | None]) -> Survey:
    """Read all entries and compare them with their checksums.

    Args:
        tables: of the journal.
        first: number that the first entry has to have.
        explain: tells damage from other trouble, which is raised.

    """
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
            return Survey(first, head, size)
        for row in rows:
            if row.number != head + 1:
                return Survey(first, head, size, f"entry {head + 1} is missing")
            if not row.is_whole():
                return Survey(first, head, size, f"entry {row.number} has the wrong checksum")
            head = row.number
            size += len(row.data)
