"""Which points belong to the Mandelbrot set, and how the others escape."""

from __future__ import annotations

import numpy as np
import pytest

from concurrent_framework.samples.mandelbrot.fractal import (
    Tile,
    View,
    escape,
    inside_main_bodies,
    points,
    tiles,
)

VIEW = View(centre=-0.7436 + 0.1318j, span=0.01, width=50, height=30, iterations=300, samples=2)


def plane(rows: int, columns: int) -> np.ndarray:
    x, y = np.linspace(-2.1, 0.7, columns), np.linspace(-1.3, 1.3, rows)
    return x[np.newaxis, :] + 1j * y[:, np.newaxis]


def slow_escape(c: complex, iterations: int) -> bool:
    z = 0j
    for _ in range(iterations):
        z = z * z + c
        if abs(z) > 1e4:
            return True
    return False


def test_tiles_cover_each_pixel_once() -> None:
    covered = np.zeros((VIEW.height, VIEW.width), dtype=int)
    for tile in tiles(VIEW, 16):
        covered[tile.top : tile.top + tile.height, tile.left : tile.left + tile.width] += 1
    assert (covered == 1).all()


def test_points_of_a_tile_are_those_of_the_whole_picture() -> None:
    whole = points(VIEW, Tile(0, 0, VIEW.width, VIEW.height))
    part = points(VIEW, Tile(16, 8, 7, 5))
    np.testing.assert_allclose(part, whole[16:26, 32:46], rtol=1e-14)


def test_a_picture_is_centred_and_its_imaginary_axis_points_up() -> None:
    whole = points(VIEW, Tile(0, 0, VIEW.width, VIEW.height))
    assert whole.mean() == pytest.approx(VIEW.centre)
    assert whole[0, 0].imag > whole[-1, 0].imag
    assert whole[0, -1].real - whole[0, 0].real == pytest.approx(VIEW.span, rel=0.02)


def test_the_set_is_that_of_the_definition() -> None:
    c = plane(40, 56)
    steps = escape(c, 200).steps.reshape(c.shape)
    expected = np.vectorize(lambda point: slow_escape(point, 200))(c)
    np.testing.assert_array_equal(np.isfinite(steps), expected)


def test_known_points() -> None:
    c = np.array([0, -1, -2, 0.25, 0.26, -1.75, 1j, 2], dtype=complex)
    inside = [True, True, True, True, False, True, True, False]
    assert np.isinf(escape(c, 500).steps).tolist() == inside


def test_what_is_skipped_is_inside() -> None:
    c = plane(60, 80)
    skipped = c[inside_main_bodies(c)]
    assert skipped.size > 500
    assert not any(slow_escape(point, 300) for point in skipped)


def test_steps_are_smooth_where_the_number_of_iterations_changes() -> None:
    along = np.linspace(0.3, 4.0, 20_000).astype(np.complex128)
    steps = escape(along, 500).steps
    assert len(set(np.floor(steps))) > 10
    assert np.abs(np.diff(steps, 2)).max() < 1e-3


def test_the_area_of_the_set_is_about_right() -> None:
    c = plane(400, 400)
    share = np.isinf(escape(c, 300).steps).mean()
    assert share * 2.8 * 2.6 == pytest.approx(1.5066, abs=0.03)


def test_the_offset_points_away_from_the_set_and_measures_the_distance() -> None:
    c = np.array([2 + 0j, 0.25 + 0.1 + 0j, -2.5 + 0j])
    offset = escape(c, 200).offset
    # The distance is right within a factor of two (Koebe's quarter theorem).
    assert offset[0].real == pytest.approx(1.75, rel=0.6)
    assert offset[1].real > 0 > offset[2].real


def test_points_far_away_escape_without_overflow() -> None:
    c = np.array([4 + 4j, 300 + 0j, -300 - 300j])
    escaped = escape(c, 10)
    assert np.isfinite(escaped.steps).all()
    assert np.isfinite(escaped.offset).all()
