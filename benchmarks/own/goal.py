"""Figures of Concurrent with what each of them should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD = ("measured", "figure", "goal", "met")


class Figure(NamedTuple):
    """One line: what was measured, what came out, and what it should reach, if anything."""

    what: str
    value: str
    goal: str = ""
    reached: bool = True

    @property
    def row(self) -> Sequence[str]:
        """The cells of a table."""
        met = ("yes" if self.reached else "**no**") if self.goal else ""
        return (self.what, self.value, self.goal, met)
