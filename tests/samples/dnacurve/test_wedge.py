"""The wedge model, against the package dnacurve and against geometry."""

from __future__ import annotations

from itertools import pairwise

import dnacurve
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from concurrent_framework.samples.dnacurve.genome import LAMBDA, read_fasta
from concurrent_framework.samples.dnacurve.wedge import (
    ANGLES,
    MARGIN,
    NUCLEOSOME,
    RISE,
    base_pair_normals,
    circles,
    curvature,
)

KINETOPLAST = "".join(dnacurve.Sequence.KINETOPLAST.split())
GENOME = read_fasta(LAMBDA).sequence


@pytest.mark.parametrize(
    "sequence",
    [KINETOPLAST, GENOME[38_800:39_300], GENOME[-510:], dnacurve.Sequence.PHASED_AAAAAA * 12],
)
def test_the_numbers_are_those_of_the_package_dnacurve(sequence: str) -> None:
    theirs = dnacurve.CurvedDNA(sequence, "trifonov").curvature[:, MARGIN:-MARGIN]
    np.testing.assert_allclose(curvature(sequence), theirs, rtol=0, atol=1e-10)


def test_the_bent_kinetoplast_is_more_curved_than_most_of_lambda() -> None:
    assert curvature(KINETOPLAST)[2].max() > np.percentile(curvature(GENOME)[2], 99)


@pytest.mark.parametrize("length", [0, 1, 2 * MARGIN])
def test_a_sequence_shorter_than_the_margins_has_no_values(length: int) -> None:
    assert curvature("A" * length).shape == (3, 0)


def test_one_value_for_each_base_pair_between_the_margins() -> None:
    assert curvature("ACGT" * 20).shape == (3, 80 - 2 * MARGIN)


def test_a_letter_that_is_no_nucleotide_is_named() -> None:
    with pytest.raises(KeyError, match="AN"):
        curvature("ACGT" * 10 + "AN" + "ACGT" * 10)


def test_normals_are_unit_vectors_and_turn_by_the_angles_of_the_model() -> None:
    normals = base_pair_normals(GENOME[:200]).T
    np.testing.assert_allclose(np.linalg.norm(normals, axis=1), 1.0)
    for step, before, after in zip(
        map("".join, pairwise(GENOME)), normals, normals[1:], strict=False
    ):
        if step in ANGLES:
            roll, tilt = np.radians(ANGLES[step][1:])
            assert np.arccos(before @ after) == pytest.approx(
                np.arccos(np.cos(roll) * np.cos(tilt)), abs=1e-7
            )


def test_the_circle_through_points_of_a_circle_has_its_radius() -> None:
    turns = np.linspace(0.0, 1.0, 50)
    points = np.array([7.0 * np.cos(turns), 7.0 * np.sin(turns), np.zeros(50)])
    np.testing.assert_allclose(circles(points, 10), 1.0 / 7.0)
    assert 0 < RISE * NUCLEOSOME < 1


@given(st.text("ACGT", min_size=2 * MARGIN + 2, max_size=120), st.data())
def test_pieces_give_the_same_values_as_the_whole(sequence: str, data: st.DataObject) -> None:
    cut = data.draw(st.integers(MARGIN + 1, len(sequence) - MARGIN - 1))
    left, right = curvature(sequence[: cut + MARGIN]), curvature(sequence[cut - MARGIN :])
    np.testing.assert_allclose(np.hstack([left, right]), curvature(sequence), atol=1e-9)
