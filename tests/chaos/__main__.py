"""Breaks a cluster of real processes for a while and counts: every task exactly one outcome."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tests.chaos.cluster import Cluster
from tests.chaos.storm import Storm
from tests.cluster.netns import missing
from tests.cluster.place import Place
from tests.store.postgres import Server

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def main() -> int:
    """Run the command line and return its exit code: 1 if a promise was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="how long, over all runs")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    parser.add_argument("--pattern", choices=["push", "pull"], action="append")
    parser.add_argument("--set", metavar="SECTION.KEY=VALUE", action="append", default=[])
    parser.add_argument("--store", choices=["sqlite", "postgresql"], action="append")
    parser.add_argument("--spare", metavar="DISTURBANCE", action="append", default=[])
    parser.add_argument("--workers", type=int, default=3)
    options = parser.parse_args()
    if reason := missing():
        print(f"without cuts of the network: {reason}")
    patterns = options.pattern or ["push", "pull"]
    runs = [(pattern, store) for store in options.store or ["sqlite"] for pattern in patterns]
    seconds = options.minutes * 60 / len(runs)
    failed = False
    for pattern, store in runs:
        print(f"{pattern}, {store}, seed {options.seed}: {seconds:.0f} s", flush=True)
        with journal(store) as settings:
            failed |= not run(pattern, [*settings, *options.set], seconds, options)
    return int(failed)


@contextmanager
def journal(store: str) -> Iterator[list[str]]:
    """Provide a place for the journal, and the settings of a master that uses it."""
    settings = [f"master.store={store}"]
    if store != "postgresql":
        yield settings
        return
    server = Server()
    try:
        yield [*settings, f"store.url={server.url(server.new_schema())}"]
    finally:
        server.remove()


def run(pattern: str, settings: Sequence[str], seconds: float, options: argparse.Namespace) -> bool:
    """Break one cluster for so long, and say what came of it; whether all promises were kept."""
    with tempfile.TemporaryDirectory(prefix="c") as name:
        place = Place(Path(name))
        with Cluster(place, pattern, settings, workers=options.workers) as cluster:
            storm = Storm(cluster, options.seed, tuple(options.spare))
            storm.rage(seconds)
            began = time.monotonic()
            cluster.settle(120.0)
            calm = time.monotonic() - began
        faults = [fault for one in cluster.applications for fault in one.faults()]
        accepted = sum(one.ledger.accepted for one in cluster.applications)
        told = sum(len({line.number for line in one.ledger.told}) for one in cluster.applications)
        print(f"  {', '.join(f'{what} {n}x' for what, n in sorted(storm.done.items()))}")
        print(f"  {len(cluster.applications)} applications: {accepted} accepted, {told} told")
        print(f"  all over {calm:.1f} s after the last disturbance")
    for fault in faults:
        print(f"  BROKEN: {fault}", file=sys.stderr)
    return not faults


if __name__ == "__main__":
    sys.exit(main())
