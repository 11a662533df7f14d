"""The tasks that try all numbers below a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from concurrent_framework import Task
from concurrent_framework.samples.md5.digest import find

if TYPE_CHECKING:
    from collections.abc import Iterator


class Attempt(Task):
    """Looks for a digest among some numbers; its result is the number or None."""

    def __init__(self, digest: bytes, numbers: range) -> None:
        super().__init__(f"{numbers.start:,} to {numbers.stop - 1:,}")
        self.digest = digest
        self.numbers = numbers

    def __call__(self) -> int | None:
        return find(self.digest, self.numbers)


class Attempts:
    """The attempts that together try every number, made one by one as they are needed.

    Args:
        digest: what to look for.
        limit: the first number not to try, >= 0.
        size: how many numbers each attempt tries, >= 1.

    Example:
        >>> [attempt.numbers for attempt in Attempts(b"", 25, 10)]
        [range(0, 10), range(10, 20), range(20, 25)]

    """

    def __init__(self, digest: bytes, limit: int, size: int) -> None:
        self.digest = digest
        self.limit = limit
        self.size = size

    def __len__(self) -> int:
        return len(self._starts())

    def __iter__(self) -> Iterator[Attempt]:
        numbers = range(self.limit)
        for start in self._starts():
            yield Attempt(self.digest, numbers[start : start + self.size])

    def _starts(self) -> range:
        return range(0, self.limit, self.size)
