"""The colours of a picture."""

from __future__ import annotations

import numpy as np
import pytest

from concurrent_framework.samples.mandelbrot.colours import INSIDE, first_steps, render
from concurrent_framework.samples.mandelbrot.fractal import Tile, View, tiles

VIEW = View(centre=-0.6 + 0j, span=3.2, width=60, height=40, iterations=200, samples=2)


def test_pieces_make_the_same_picture_as_the_whole() -> None:
    first = first_steps(VIEW)
    whole = render(VIEW, Tile(0, 0, 60, 40), first)
    assert whole.shape == (40, 60, 3)
    assert whole.dtype == np.uint8
    for tile in tiles(VIEW, 25):
        rows = slice(tile.top, tile.top + tile.height)
        columns = slice(tile.left, tile.left + tile.width)
        np.testing.assert_array_equal(render(VIEW, tile, first), whole[rows, columns])


def test_the_inside_has_one_colour_and_the_outside_many() -> None:
    whole = render(VIEW, Tile(0, 0, 60, 40), first_steps(VIEW))
    assert tuple(whole[20, 30]) == INSIDE
    assert len(np.unique(whole.reshape(-1, 3), axis=0)) > 300


@pytest.mark.parametrize("samples", [1, 2, 3])
def test_a_view_that_lies_inside_is_dark(samples: int) -> None:
    view = View(centre=0j, span=0.1, width=10, height=10, iterations=50, samples=samples)
    picture = render(view, Tile(0, 0, 10, 10), first_steps(view))
    assert (picture == INSIDE).all()
