"""The wedge model of DNA: how each pair of neighbouring base pairs tilts the helix.

The angles are those of Bolshoy, McNamara, Harrington and Trifonov (Proc Natl Acad Sci USA 88,
2312-2316, 1991) as tabulated by Goodsell and Dickerson (Nucleic Acids Res 22, 5497-5503, 1994,
table 1, model c). Curvature is measured as dnacurve (C. Gohlke) does, relative to the DNA that is
wound around a nucleosome.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float64]

RISE = 3.38
"""Height of one base pair along the helix axis, in angstrom."""

ANGLES = {
    "AA": (35.62, -6.50, 3.20),
    "AC": (34.40, -0.90, -0.70),
    "AG": (27.70, 8.40, -0.30),
    "AT": (31.50, 2.60, 0.00),
    "CA": (34.50, 1.60, 3.10),
    "CG": (29.80, 6.70, 0.00),
    "GA": (36.90, -2.70, -4.60),
    "GC": (40.00, -5.00, 0.00),
    "GG": (33.67, 1.20, -1.80),
    "TA": (36.00, 0.90, 0.00),
}
"""Twist, roll and tilt in degrees from the first base pair of a step to the second."""

NUCLEOSOME = 0.0234
"""Curvature of DNA in a nucleosome, in 1/angstrom: the unit of what is computed here."""

CURVATURE_REACH = 10
"""The circle whose radius counts runs through base pairs n-10, n and n+10: two helix turns."""

BEND_REACH = 2
ANGLE_REACH = 15
"""The bend is the angle between base pairs n-2 and n+2, the curve between helix turns n-15 and n+15."""

TURN = np.array([0.5, *[1.0] * 9, 0.5]) / 10.0
"""Weights that average the normals of the base pairs of one helix turn."""

MARGIN = ANGLE_REACH + len(TURN) // 2
"""Base pairs on either side of a base pair that its values depend on."""


def curvature(sequence: str) -> Vectors:
    """Return curvature, bend angle and curve angle of each base pair that has `MARGIN` neighbours.

    Args:
        sequence: the letters A, C, G and T.

    Returns:
        Three rows of ``len(sequence) - 2 * MARGIN`` values in units of `NUCLEOSOME`; no columns
        for a shorter sequence.

    Raises:
        KeyError: the sequence has other letters; the error holds the step.

    Example:
        >>> curvature("GATTACA" * 7).round(2)[0, :3]
        array([0.11, 0.08, 0.09])

    """
    count = len(sequence) - 2 * MARGIN
    if count <= 0:
        return np.zeros((3, 0))
    normals = base_pair_normals(sequence)
    axis = np.cumsum(RISE * normals, axis=1)
    turns = np.array([np.convolve(row, TURN, "valid") for row in normals])
    # The nucleosome bends by this angle over the 2 * ANGLE_REACH base pairs that a curve spans.
    full_turn = NUCLEOSOME * RISE * 2 * ANGLE_REACH
    return np.stack(
        (
            circles(axis, CURVATURE_REACH)[MARGIN - CURVATURE_REACH :][:count] / NUCLEOSOME,
            angles(normals, BEND_REACH)[MARGIN - BEND_REACH :][:count] / full_turn,
            angles(turns, ANGLE_REACH)[:count] / full_turn,
        )
    )


def base_pair_normals(sequence: str) -> Vectors:
    """Follow the helix and return the unit normal of each base pair's plane, x, y and z in rows.

    Each round follows all frames over twice as many steps as the one before: a small task is done
    in a few calls of NumPy, not in one for each base pair.
    """
    frames = np.empty((len(sequence), 3, 3))
    frames[0] = np.eye(3)
    frames[1:] = _ROTATIONS[[_STEPS[first + second] for first, second in pairwise(sequence)]]
    followed = 1
    while followed < len(frames):
        frames[followed:] = frames[:-followed] @ frames[followed:]
        followed *= 2
    return np.ascontiguousarray(frames[:, :, 2].T)


def circles(points: Vectors, reach: int) -> Vectors:
    """Return 1/radius of the circle through each point and those `reach` before and after it."""
    before, here, after = points[:, : -2 * reach], points[:, reach:-reach], points[:, 2 * reach :]
    sides = (here - before, after - here, after - before)
    double_area = _length(_cross(sides[0], sides[2]))
    return 2.0 * double_area / (_length(sides[0]) * _length(sides[1]) * _length(sides[2]))


def angles(vectors: Vectors, reach: int) -> Vectors:
    """Return the angle in radians between the vectors `reach` before and after each one."""
    before, after = vectors[:, : -2 * reach], vectors[:, 2 * reach :]
    return np.asarray(np.arctan2(_length(_cross(before, after)), _dot(before, after)))


def _dot(a: Vectors, b: Vectors) -> Vectors:
    return np.asarray(a[0] * b[0] + a[1] * b[1] + a[2] * b[2])


def _length(vectors: Vectors) -> Vectors:
    return np.asarray(np.sqrt(_dot(vectors, vectors)))


def _cross(a: Vectors, b: Vectors) -> Vectors:
    """Do what np.cross does, several times as fast for the few vectors of a small task."""
    (a_x, a_y, a_z), (b_x, b_y, b_z) = a, b
    return np.array([a_y * b_z - a_z * b_y, a_z * b_x - a_x * b_z, a_x * b_y - a_y * b_x])


def _rotation(twist: float, roll: float, tilt: float) -> Vectors:
    """Return the frame of the second base pair of a step, seen from the first."""
    (sin_w, sin_r, sin_t), (cos_w, cos_r, cos_t) = (
        function(np.radians([twist, roll, tilt])) for function in (np.sin, np.cos)
    )
    roll_x = np.array([[1, 0, 0], [0, cos_r, -sin_r], [0, sin_r, cos_r]])
    tilt_y = np.array([[cos_t, 0, sin_t], [0, 1, 0], [-sin_t, 0, cos_t]])
    twist_z = np.array([[cos_w, sin_w, 0], [-sin_w, cos_w, 0], [0, 0, 1]])
    return np.asarray(roll_x @ tilt_y @ twist_z)


def _rotations() -> dict[str, Vectors]:
    """Return the rotation of all 16 steps: the other strand sees each tilt the other way round."""
    complement = str.maketrans("ACGT", "TGCA")
    table = {}
    for step, (twist, roll, tilt) in ANGLES.items():
        table[step[::-1].translate(complement)] = _rotation(twist, roll, -tilt)
        table[step] = _rotation(twist, roll, tilt)
    return table


_TABLE = _rotations()
_STEPS = {step: number for number, step in enumerate(_TABLE)}
_ROTATIONS = np.array(list(_TABLE.values()))
