"""From escapes to colours: a palette over the steps, lit like a relief."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from concurrent_framework.samples.mandelbrot.fractal import Tile, escape, points

if TYPE_CHECKING:
    from concurrent_framework.samples.mandelbrot.fractal import Escape, View

Pixels = NDArray[np.uint8]
"""Red, green and blue, in rows of pixels."""

GAMMA = 2.2
"""Colours are mixed and averaged in linear light and stored with this exponent."""

PALETTE = (
    (0.00, (4, 8, 40)),
    (0.14, (14, 60, 130)),
    (0.28, (60, 160, 200)),
    (0.42, (245, 245, 225)),
    (0.56, (250, 190, 70)),
    (0.70, (190, 70, 40)),
    (0.85, (60, 12, 50)),
    (1.00, (4, 8, 40)),
)
"""Positions in the cycle of colours: night, sea, sky, foam, gold, fire and back."""

INSIDE = (2, 2, 8)
CYCLES_PER_DOUBLING = 0.3
"""How far the colour moves on where the number of steps doubles."""

LIGHT = np.exp(0.25j * np.pi)
LIGHT_HEIGHT = 1.5
"""The light comes from the upper right, this high above the plane."""


def render(view: View, tile: Tile, first: float) -> Pixels:
    """Compute the pixels of one tile.

    Args:
        view: the picture.
        tile: the part of it to compute.
        first: steps at which the palette begins, see `first_steps`.

    """
    return paint(escape(points(view, tile), view.iterations), view, tile, first)


def first_steps(view: View) -> float:
    """Return the fewest steps that a point of the view takes to escape, from a coarse look at it.

    With the palette beginning there, a picture uses the same colours at every zoom.
    """
    coarse = view._replace(width=72, height=max(1, 72 * view.height // view.width), samples=1)
    steps = escape(points(coarse, Tile(0, 0, coarse.width, coarse.height)), view.iterations).steps
    return float(min(steps.min(), view.iterations))


def paint(escaped: Escape, view: View, tile: Tile, first: float) -> Pixels:
    """Colour the samples of a tile and average those of each pixel."""
    outside = np.isfinite(escaped.steps)
    steps = np.where(outside, escaped.steps, first)
    cycle = CYCLES_PER_DOUBLING * np.log2(np.maximum(steps / first, 1.0)) % 1.0
    places, colours = zip(*PALETTE, strict=True)
    levels = _linear(colours)
    rgb = np.stack([np.interp(cycle, places, levels[:, i]) for i in range(3)], axis=-1)
    rgb *= _brightness(escaped, view.span / view.width)[:, np.newaxis]
    rgb[~outside] = _linear(INSIDE)
    blocks = rgb.reshape(tile.height, view.samples, tile.width, view.samples, 3)
    mean: NDArray[np.float64] = blocks.mean(axis=(1, 3))
    return np.rint(255.0 * mean ** (1.0 / GAMMA)).astype(np.uint8)


def _brightness(escaped: Escape, pixel: float) -> NDArray[np.float64]:
    """Light the slope that rises towards the set, and darken what lies within a pixel of it."""
    distance = np.abs(escaped.offset)
    outward = escaped.offset / np.where(distance > 0, distance, 1.0)
    facing = outward.real * LIGHT.real + outward.imag * LIGHT.imag
    slope = np.clip((facing + LIGHT_HEIGHT) / (1.0 + LIGHT_HEIGHT), 0.0, 1.0)
    return np.asarray(slope * np.sqrt(np.tanh(distance / pixel)))


def _linear(colours: object) -> NDArray[np.float64]:
    return np.asarray((np.asarray(colours) / 255.0) ** GAMMA)
