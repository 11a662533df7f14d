"""The Mandelbrot set: which points escape, how fast, and in which direction."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Iterator

BAILOUT = 1e4
"""Distance from the origin that counts as escaped; a large one makes the colours smooth."""

STRIDE = 4
"""Steps between two looks at who has escaped: each costs as much as a step."""

Numbers = NDArray[np.float64]


class View(NamedTuple):
    """The part of the complex plane that a picture shows.

    Args:
        centre: the point in its middle.
        span: width of the picture in the plane, > 0.
        width: pixels across, >= 1.
        height: pixels down, >= 1.
        iterations: steps after which a point counts as inside, >= 1.
        samples: each pixel is the mean of ``samples * samples`` points, >= 1.

    """

    centre: complex
    span: float
    width: int
    height: int
    iterations: int
    samples: int = 1


class Tile(NamedTuple):
    """A rectangle of a picture, in pixels from its upper left corner."""

    left: int
    top: int
    width: int
    height: int


class Escape(NamedTuple):
    """How the points of a tile escape, ``samples`` times as many each way as it has pixels.

    Args:
        steps: iterations until the escape, interpolated; infinite inside the set.
        offset: vector from the set's edge to the point, roughly, as a complex number; 0 inside.

    """

    steps: Numbers
    offset: NDArray[np.complex128]


def tiles(view: View, size: int) -> Iterator[Tile]:
    """Cut a picture into squares of `size` pixels; those at the right and lower edge are smaller.

    Example:
        >>> [tile.width for tile in tiles(View(0j, 4.0, 100, 40, 50), 64)]
        [64, 36]

    """
    for top in range(0, view.height, size):
        for left in range(0, view.width, size):
            yield Tile(left, top, min(size, view.width - left), min(size, view.height - top))


def points(view: View, tile: Tile) -> NDArray[np.complex128]:
    """Return the points of the plane that a tile's samples stand for."""
    step = view.span / (view.width * view.samples)
    x = np.arange(tile.width * view.samples) + (tile.left - view.width / 2) * view.samples + 0.5
    y = np.arange(tile.height * view.samples) + (tile.top - view.height / 2) * view.samples + 0.5
    return np.asarray(view.centre + step * (x[np.newaxis, :] - 1j * y[:, np.newaxis]))


def escape(c: NDArray[np.complex128], iterations: int) -> Escape:
    """Iterate z -> z*z + c from 0 until z has left the circle with radius `BAILOUT`.

    Args:
        c: the points, of any shape.
        iterations: steps after which a point counts as inside, >= 1; rounded up to whole strides.

    """
    steps = np.full(c.size, np.inf)
    offset = np.zeros(c.size, dtype=np.complex128)
    index = np.flatnonzero(~inside_main_bodies(c))
    c = c.ravel()[index]
    z, slope = np.zeros_like(c), np.zeros_like(c)
    for step in range(STRIDE, iterations + STRIDE, STRIDE):
        for _ in range(STRIDE):
            slope *= z
            slope *= 2.0
            slope += 1.0  # the derivative of z by c
            z *= z
            z += c
        out = z.real * z.real + z.imag * z.imag > BAILOUT * BAILOUT
        if not out.any():
            continue
        where, last = index[out], z[out]
        height = np.log(np.abs(last))
        steps[where] = step + 1.0 - np.log2(height / np.log(BAILOUT))
        offset[where] = height * last / slope[out]
        inside = ~out
        index, c, z, slope = index[inside], c[inside], z[inside], slope[inside]
        if not index.size:
            break
    return Escape(steps, offset)


def inside_main_bodies(c: NDArray[np.complex128]) -> NDArray[np.bool_]:
    """Tell which points lie in the heart or the largest disc, which need not be iterated."""
    x, y = c.real, c.imag
    q = (x - 0.25) ** 2 + y**2
    heart = q * (q + x - 0.25) <= 0.25 * y**2
    disc = (x + 1.0) ** 2 + y**2 <= 0.0625
    return np.asarray(heart | disc)
