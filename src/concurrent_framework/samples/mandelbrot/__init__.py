"""The Mandelbrot set, tile by tile, as a picture."""

from concurrent_framework.samples.requirements import require

require("mandelbrot", "numpy", "matplotlib")

from concurrent_framework.samples.mandelbrot.app import Mandelbrot  # noqa: E402 (needs numpy)

__all__ = ["Mandelbrot"]
