"""Where a genome is curved most."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from concurrent_framework.samples.dnacurve.wedge import MARGIN

if TYPE_CHECKING:
    from concurrent_framework.samples.dnacurve.genome import Landmark
    from concurrent_framework.samples.dnacurve.wedge import Vectors

APART = 300
"""Peaks closer than this many base pairs count as one."""

NEARBY = 300
"""How far from a landmark a peak may lie to be named after it."""


class Peak(NamedTuple):
    """A place that is curved more than its neighbourhood.

    Args:
        position: the base pair, counted from 1.
        curvature: there, relative to a nucleosome.
        angle: the curve angle there, relative to a nucleosome.
        near: name of the landmark at or near it, empty if there is none.

    """

    position: int
    curvature: float
    angle: float
    near: str


def peaks(values: Vectors, count: int, landmarks: list[Landmark]) -> list[Peak]:
    """Return the `count` places with the largest curve angle, the largest first.

    Args:
        values: the three rows that `curvature` gives for a whole genome.
        count: how many at most.
        landmarks: known sites, to name the places after.

    """
    angle = values[2].copy()
    found: list[Peak] = []
    while len(found) < count and angle.size and angle.max() > 0:
        index = int(np.argmax(angle))
        position = index + MARGIN + 1
        near = [
            site.name for site in landmarks if site.start - NEARBY <= position <= site.end + NEARBY
        ]
        found.append(Peak(position, float(values[0, index]), float(angle[index]), ", ".join(near)))
        angle[max(0, index - APART) : index + APART + 1] = 0.0
    return found
