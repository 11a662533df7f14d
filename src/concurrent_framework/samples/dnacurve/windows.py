"""A genome cut into pieces that can be computed independently of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework.samples.dnacurve.wedge import MARGIN

if TYPE_CHECKING:
    from collections.abc import Iterator


class Windows:
    """The pieces of a sequence, each with the neighbours that its values depend on.

    Args:
        sequence: the letters A, C, G and T.
        step: base pairs whose values each piece gives, >= 1.

    Example:
        >>> [len(piece) - 2 * MARGIN for piece in Windows("A" * 50, 4)]
        [4, 4, 2]

    """

    def __init__(self, sequence: str, step: int) -> None:
        self.sequence = sequence
        self.step = step

    def __len__(self) -> int:
        return len(self._starts())

    def __iter__(self) -> Iterator[str]:
        length = self.step + 2 * MARGIN
        return (self.sequence[start : start + length] for start in self._starts())

    def _starts(self) -> range:
        return range(0, len(self.sequence) - 2 * MARGIN, self.step)
