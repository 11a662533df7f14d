"""The most curved places of a genome, and the picture of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.image import imread

from concurrent_framework.samples.dnacurve.genome import (
    LAMBDA,
    Genome,
    Landmark,
    landmarks,
    read_fasta,
)
from concurrent_framework.samples.dnacurve.peaks import APART, NEARBY, Peak, peaks
from concurrent_framework.samples.dnacurve.plot import plot
from concurrent_framework.samples.dnacurve.wedge import MARGIN, curvature

if TYPE_CHECKING:
    from pathlib import Path


def test_the_origin_of_replication_of_lambda_is_curved() -> None:
    genome = read_fasta(LAMBDA)
    found = peaks(curvature(genome.sequence), 6, landmarks(genome))
    assert {peak.near for peak in found} == {"origin of replication", "attachment site attP", ""}
    origin = next(peak for peak in found if peak.near == "origin of replication")
    assert 39_034 <= origin.position <= 39_119


def test_peaks_come_largest_first_and_apart_from_each_other() -> None:
    values = np.zeros((3, 2000))
    values[:, [100, 100 + APART, 101 + APART, 1500]] = [0.9, 0.8, 0.5, 0.7]
    assert peaks(values, 5, [Landmark("here", 1400, 1410)]) == [
        Peak(101 + MARGIN, 0.9, 0.9, ""),
        Peak(1501 + MARGIN, 0.7, 0.7, "here"),
        Peak(102 + APART + MARGIN, 0.5, 0.5, ""),
    ]


@pytest.mark.parametrize(
    ("position", "name"),
    [
        (1000 - NEARBY - 1, ""),
        (1000 - NEARBY, "site"),
        (1010 + NEARBY, "site"),
        (1010 + NEARBY + 1, ""),
    ],
)
def test_a_peak_is_named_after_what_is_near(position: int, name: str) -> None:
    values = np.zeros((3, 2000))
    values[:, position - 1 - MARGIN] = 1.0
    (peak,) = peaks(values, 1, [Landmark("site", 1000, 1010)])
    assert (peak.position, peak.near) == (position, name)


def test_fewer_peaks_than_asked_for_are_no_error() -> None:
    assert peaks(np.zeros((3, 0)), 3, []) == []
    assert peaks(np.zeros((3, 50)), 3, []) == []


@pytest.mark.parametrize("length", [2 * MARGIN + 1, 3000])
def test_the_picture_is_drawn_for_short_and_long_sequences(tmp_path: Path, length: int) -> None:
    genome = Genome("part", read_fasta(LAMBDA).sequence[38_000 : 38_000 + length])
    values = curvature(genome.sequence)
    path = tmp_path / "part.png"
    plot(genome, values, peaks(values, 3, landmarks(genome)), landmarks(genome), path)
    pixels = imread(path)
    assert pixels.shape == (910, 1560, 4)
    assert pixels.min() < 0.2
    assert pixels.max() == 1.0
