"""``python -m tests.simulation --seeds N`` runs more storms than the tests do, and names what fails."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from tests.simulation.storm import run

SHOWN = 5
"""Failures that are shown, at most."""


def fails(pattern: str, seed: int) -> tuple[str, Counter[str]]:
    """Return how a seed fails, empty if it does not, and what happened in it."""
    try:
        return "", run(seed, pattern).cluster.happened
    except Exception:
        return f"seed {seed} under {pattern} fails:\n{traceback.format_exc()}", Counter()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=1000, help="how many seeds")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--pattern", choices=["push", "pull"], action="append")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    failures = 0
    happened: Counter[str] = Counter()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for pattern in options.pattern or ["push", "pull"]:
            for text, told in pool.map(partial(fails, pattern), seeds, chunksize=20):
                failures += bool(text)
                happened += told
                if text and failures <= SHOWN:
                    print(text, flush=True)
    print(", ".join(f"{what} {count}x" for what, count in sorted(happened.items())))
    print(f"{failures} of {len(seeds)} seeds fail" if failures else f"{len(seeds)} seeds hold")
    return int(failures > 0)


if __name__ == "__main__":
    sys.exit(main())
