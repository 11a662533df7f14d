"""``python -m benchmarks [NAME…]`` measures start-up, throughput and speed-up on this machine.

Ends with exit code 1 if a goal is missed, which also happens when the machine has other work to do.
"""

from __future__ import annotations

import sys
from importlib import import_module

from rich.console import Console
from rich.table import Table

NAMES = (
    "startup", "executors", "throughput", "arrays", "data", "journal", "recovery", "speedup",
    "observing",
)  # fmt: skip


def main(names: list[str]) -> int:
    """Measure, and print a table of what came out."""
    unknown = [name for name in names if name not in NAMES]
    if unknown:
        print(f"error: no benchmark {unknown[0]!r}; there are {', '.join(NAMES)}", file=sys.stderr)
        return 2
    table = Table("measured", "figure", "goal", "")
    missed = False
    for name in names or NAMES:
        for figure in import_module(f"benchmarks.{name}").measure():
            missed = missed or not figure.reached
            mark = ("[green]reached" if figure.reached else "[red]missed") if figure.goal else ""
            table.add_row(figure.what, figure.value, figure.goal, mark)
    Console().print(table)
    return int(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
