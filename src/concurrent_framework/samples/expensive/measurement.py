"""What a run of the sample has shown, as a table."""

from __future__ import annotations

from typing import NamedTuple

from concurrent_framework.samples.expensive.amdahl import amdahl, serial_fraction
from concurrent_framework.samples.table import table

ORIGINAL_SPEED_UP, ORIGINAL_PROCESSORS = 7.02, 8
"""What the first Concurrent reported for this sample."""

UNDISTURBED = 0.95
DISTURBED = "Other programs had much of the processors meanwhile; the speed-up is lower for that."

FORECAST = (2, 4, 8, 16, 64, 256)


class Measurement(NamedTuple):
    """A run.

    Args:
        executors: how many tasks ran at a time.
        serial: declared fraction of the work that was not shared out.
        work: processor time of all work in seconds.
        wall: time of day it took in seconds.
        running: time of day that tasks were running, added up over all of them.
        shared: time of day from the push of the tasks to the last result.

    """

    executors: int
    serial: float
    work: float
    wall: float
    running: float
    shared: float

    @property
    def speed_up(self) -> float:
        """How much faster it was than one processor would have been."""
        return self.work / self.wall

    @property
    def busy(self) -> float:
        """Share of the time that executors had a task: the rest is what distributing costs."""
        return self.running / (self.executors * self.shared)

    @property
    def obtained(self) -> float:
        """Share of a core that work got: the rest went to other programs of the machine."""
        return self.work / (self.running + self.wall - self.shared)

    @property
    def implied(self) -> float:
        """The serial fraction that explains the speed-up, 0 to 1."""
        if self.executors == 1:
            return self.serial
        return min(max(serial_fraction(self.speed_up, self.executors), 0.0), 1.0)


def report(run: Measurement) -> str:
    """Lay out a run beside Amdahl's law and beside the original."""
    law = amdahl(run.serial, run.executors)
    original = serial_fraction(ORIGINAL_SPEED_UP, ORIGINAL_PROCESSORS)
    measured = [
        ("executors", f"{run.executors}", f"{ORIGINAL_PROCESSORS}"),
        ("work, in processor time", f"{run.work:.2f} s", ""),
        ("time it took", f"{run.wall:.2f} s", ""),
        ("speed-up", f"{run.speed_up:.2f}", f"{ORIGINAL_SPEED_UP:.2f}"),
        (f"Amdahl's law for {run.serial:.1%} serial work", f"{law:.2f}", ""),
        ("reached of it", f"{run.speed_up / law:.1%}", ""),
        (
            "speed-up per executor",
            f"{run.speed_up / run.executors:.1%}",
            f"{ORIGINAL_SPEED_UP / ORIGINAL_PROCESSORS:.1%}",
        ),
        ("serial fraction it implies", f"{run.implied:.1%}", f"{original:.1%}"),
        ("time in which executors had a task", f"{run.busy:.1%}", ""),
        ("time in which tasks had a processor", f"{run.obtained:.1%}", ""),
    ]
    forecast = [("speed-up it allows", *(f"{amdahl(run.implied, n):.2f}" for n in FORECAST))]
    parts = [
        table(["", "this run", "the original"], measured),
        table(["executors", *map(str, FORECAST)], forecast),
    ]
    if run.obtained < UNDISTURBED:
        parts.append(DISTURBED)
    return "\n\n".join(parts)
