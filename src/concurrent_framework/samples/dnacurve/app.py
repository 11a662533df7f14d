"""Computes the curvature of a genome, piece by piece, and draws it.

What a piece of the helix looks like does not depend on the rest of it, so a farm of tasks computes
them in any order; ``--step 1`` makes a task of every single base pair.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from concurrent_framework import ApplicationNode, Farm, IApp, implements
from concurrent_framework.samples.dnacurve.genome import landmarks
from concurrent_framework.samples.dnacurve.options import parse
from concurrent_framework.samples.dnacurve.peaks import peaks
from concurrent_framework.samples.dnacurve.plot import plot
from concurrent_framework.samples.dnacurve.wedge import curvature
from concurrent_framework.samples.dnacurve.windows import Windows
from concurrent_framework.samples.table import table

if TYPE_CHECKING:
    from concurrent_framework.samples.dnacurve.wedge import Vectors


class DnaCurve(ApplicationNode):
    """Finds the places where a genome is curved most and plots all of it."""

    implements(IApp)

    def app_init(self) -> None:
        self.options = parse(self.arguments)

    def get_task_system(self) -> Farm:
        self.started = perf_counter()
        self.windows = Windows(self.options.genome.sequence, self.options.step)
        return Farm(curvature, self.windows, name="dnacurve")

    def work_finished(self, result: list[Vectors], task_system: Farm) -> None:
        seconds = perf_counter() - self.started
        genome, output = self.options.genome, self.options.output
        self.values = np.hstack(result)
        sites = landmarks(genome)
        most_curved = peaks(self.values, self.options.top, sites)
        plot(genome, self.values, most_curved, sites, output)
        size = f"{len(genome.sequence):,} base pairs in {len(self.windows):,} tasks"
        self.log.info(f"{genome.name}: {size}, {seconds:.1f} s")
        self.log.info("The most curved places, relative to the DNA of a nucleosome:\n")
        self.log.info(table(["base pair", "curvature", "curve angle", "near"], most_curved))
        self.log.info(f"\nAll of it is in {output}.")
        self.shutdown_main_loop()
