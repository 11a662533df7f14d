"""How much faster several processors are: what to expect, and what a measurement means."""

from __future__ import annotations


def amdahl(serial: float, processors: float) -> float:
    """Return the speed-up that Amdahl's law allows.

    Args:
        serial: fraction of the work that cannot be shared out, 0 to 1.
        processors: how many share the rest, >= 1; may be infinite.

    Example:
        >>> round(amdahl(0.02, 8), 2)
        7.02

    """
    time = serial + (1.0 - serial) / processors
    return 1.0 / time if time else processors


def serial_fraction(speed_up: float, processors: float) -> float:
    """Return the serial fraction that explains a measured speed-up (Karp and Flatt, 1990).

    Args:
        speed_up: as measured, > 0.
        processors: how many took part, > 1.

    Example:
        >>> round(serial_fraction(7.02, 8), 3)
        0.02

    """
    return (1.0 / speed_up - 1.0 / processors) / (1.0 - 1.0 / processors)
