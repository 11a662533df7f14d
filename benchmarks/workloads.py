"""What the tasks of all measures do. Every system under test runs these same functions."""

from __future__ import annotations

from time import thread_time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

MEBIBYTE = 1 << 20


def nothing(_argument: object) -> None:
    """Do nothing."""


def burn(seconds: float) -> None:
    """Be busy for a while by the processor's time: a task that is preempted goes on afterwards."""
    end = thread_time() + seconds
    while thread_time() < end:
        pass


def mebibyte(_argument: object) -> bytes:
    """Return 1 MiB."""
    return bytes(MEBIBYTE)


def size_of(data: Any) -> int:
    """Return the size of an array in bytes."""
    return int(data.nbytes)


def large_argument() -> np.ndarray[Any, Any]:
    """Return 8 MiB that no system can compress away or keep as one value."""
    import numpy as np

    return np.random.default_rng(1).integers(0, 256, 8 * MEBIBYTE, dtype=np.uint8)
