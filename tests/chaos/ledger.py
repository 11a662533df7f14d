"""What an application's ledger says, and whether it agrees with the promises."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Told(NamedTuple):
    """One line about an outcome."""

    pid: int
    number: int
    what: str


class Ledger:
    """One application's ledger, read again at each look."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()

    def rows(self, kind: str) -> list[list[str]]:
        """Return the lines of a kind, as words without it."""
        lines = self.path.read_text(encoding="utf-8").splitlines()
        return [line.split(" ")[1:] for line in lines if line.startswith(f"{kind} ")]

    @property
    def session(self) -> str:
        """The application's id, empty if it has not come so far."""
        rows = self.rows("session")
        return rows[-1][1] if rows else ""

    @property
    def accepted(self) -> int:
        """Tasks or systems of which the application was told that they are safe."""
        return sum(int(count) for _pid, count in self.rows("accepted"))

    @property
    def told(self) -> list[Told]:
        """What was told, in order."""
        return [
            Told(int(pid), int(number), " ".join(what)) for pid, number, *what in self.rows("told")
        ]

    @property
    def runs(self) -> Counter[int]:
        """How often each task was begun."""
        return Counter(int(number) for (number,) in self.rows("ran"))


def faults_of_tasks(ledger: Ledger, killed: set[int]) -> list[str]:
    """Return what is wrong about plain tasks.

    Args:
        ledger: the application's.
        killed: processes of the application that were killed; what these were told and had not
            acknowledged may be told again to the next.

    """
    faults = []
    told = ledger.told
    known = {one.number for one in told}
    missing = sorted(set(range(1, ledger.accepted + 1)) - known)
    if missing:
        faults.append(f"{len(missing)} accepted tasks were never told, first {missing[0]}")
    runs = ledger.runs
    for number in known:
        lines = [one for one in told if one.number == number]
        pids = [one.pid for one in lines]
        if len(set(pids)) < len(pids):
            faults.append(f"task {number} was told twice to process {pids[0]}")
        elif not set(pids[:-1]) <= killed:
            faults.append(f"task {number} was told again to {pids[-1]}, nobody was killed")
        if len({one.what for one in lines}) > 1:
            faults.append(f"task {number} was told in two ways: {[one.what for one in lines]}")
        once = number % 10 == 0
        if lines[0].what != str(number**2) and not (once and lines[0].what.startswith("lost")):
            faults.append(f"task {number} was told {lines[0].what!r}")
        if once and runs[number] > 1:
            faults.append(f"task {number} may run once and ran {runs[number]} times")
    return faults


def faults_of_system(ledger: Ledger, count: int, killed: set[int]) -> list[str]:
    """Return what is wrong about a task system that squares the numbers up to `count`."""
    told = ledger.told
    if not told:
        return ["its result was never told"] if ledger.accepted else []
    pids = [one.pid for one in told]
    expected = f"{count} {sum(n**2 for n in range(1, count + 1))}"
    faults = [f"its result was told as {one.what!r}" for one in told if one.what != expected]
    if not set(pids[:-1]) <= killed or len(set(pids)) < len(pids):
        faults.append(f"its result was told {len(told)} times")
    return faults
