"""The process that measures one thing in one system: ``python -m benchmarks.child``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import catalog
from benchmarks.measures.measure import Effort
from benchmarks.peer import NotOffered

if TYPE_CHECKING:
    from benchmarks.measures.measure import Figures
    from benchmarks.peer import Peer


def main(system: str, name: str, budget: str, began: str, output: str, *settings: str) -> None:
    """Measure, and write what came out as JSON into a file."""
    measure = catalog.measure(name)
    effort = Effort(float(budget), float(began))

    async def work(peer: Peer) -> Figures | None:
        try:
            return await measure.work(peer, effort)
        except NotOffered:
            return None

    peer = catalog.peer(system).make(list(settings))
    peer.lasting = not measure.start
    figures = peer.run(work)
    Path(output).write_text(json.dumps(figures), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
