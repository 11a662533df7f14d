"""A genome cut into pieces."""

from __future__ import annotations

import numpy as np
import pytest

from concurrent_framework.samples.dnacurve.genome import LAMBDA, read_fasta
from concurrent_framework.samples.dnacurve.wedge import curvature
from concurrent_framework.samples.dnacurve.windows import Windows


@pytest.mark.parametrize("step", [1, 7, 100, 1000])
def test_the_values_of_the_pieces_are_those_of_the_whole(step: int) -> None:
    sequence = read_fasta(LAMBDA).sequence[:500]
    windows = Windows(sequence, step)
    pieces = [curvature(piece) for piece in windows]
    assert len(pieces) == len(windows)
    np.testing.assert_allclose(np.hstack(pieces), curvature(sequence), atol=1e-9)


def test_the_finest_cut_of_lambda_makes_more_than_ten_thousand_tasks() -> None:
    assert len(Windows(read_fasta(LAMBDA).sequence, 1)) == 48_462
