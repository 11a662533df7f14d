"""Tables of plain text, readable on a terminal and in a log file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence


def table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Lay out rows under a header: columns of numbers to the right, all others to the left.

    Args:
        header: a title for each column.
        rows: as many cells in each row; floats are shown with two decimals.

    Example:
        >>> print(table(["name", "lines"], [["a.py", 7], ["bc.py", 1200]]))
        name   lines
        ────────────
        a.py       7
        bc.py  1,200

    """
    rows = [tuple(row) for row in rows]
    cells = [[_text(cell) for cell in row] for row in rows]
    right = [bool(cells) and all(map(_is_figure, column)) for column in zip(*cells, strict=True)]
    right = right or [False] * len(header)
    widths = [max(map(len, column)) for column in zip(header, *cells, strict=True)]

    def line(texts: Sequence[str]) -> str:
        aligned = (
            text.rjust(width) if is_right else text.ljust(width)
            for text, width, is_right in zip(texts, widths, right, strict=True)
        )
        return "  ".join(aligned).rstrip()

    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    return "\n".join([line(header), rule, *map(line, cells)])


def _text(cell: object) -> str:
    if isinstance(cell, float):
        return f"{cell:,.2f}"
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _is_figure(text: str) -> bool:
    """Tell numbers, with their units, and cells left empty."""
    return text[:1].isdigit() or not text
