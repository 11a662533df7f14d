"""What can be asked of the sample."""

from __future__ import annotations

from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.samples.mandelbrot.fractal import View
from concurrent_framework.samples.picture import png_file

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

WHOLE_SET = 3.6
"""Width of the picture in the plane at zoom 1."""

FARTHEST = 4.0
WIDEST_ZOOM = 0.01
DEEPEST_ZOOM = 1e12
"""Beyond it, neighbouring pixels are the same number in double precision."""


class Options(NamedTuple):
    """The picture, the size of its tiles in pixels, its file, and how it is to be made."""

    view: View
    tile: int
    output: Path
    plain: bool


def parse(arguments: Sequence[str]) -> Options:
    """Read the arguments after ``--``; ends the program if they ask for help or are wrong."""
    parser = ArgumentParser(
        prog="concurrent run mandelbrot --",
        description="Draw a part of the Mandelbrot set.",
        formatter_class=ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("--width", type=int, default=2100, help="pixels across")
    add("--height", type=int, default=1400, help="pixels down")
    add(
        "--centre",
        type=float,
        nargs=2,
        metavar=("X", "Y"),
        default=[-0.743643135, 0.131825963],
        help="point in the middle of the picture",
    )
    add("--zoom", type=float, default=6000.0, help="magnification; 1 shows the whole set")
    add("--iterations", type=int, default=3000, help="steps after which a point counts as inside")
    add("--samples", type=int, default=2, help="a pixel is the mean of this many points squared")
    add("--tile", type=int, default=100, help="pixels across and down of one task")
    add("--output", type=png_file, default="mandelbrot.png", help="file to write")
    add("--plain", action="store_true", help="push plain tasks instead of a task system")
    options = parser.parse_args(arguments)
    for name in ("width", "height", "iterations", "samples", "tile"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1")
    if not WIDEST_ZOOM <= options.zoom <= DEEPEST_ZOOM:
        parser.error(f"--zoom must be {WIDEST_ZOOM:g} to {DEEPEST_ZOOM:g}")
    if not all(abs(coordinate) <= FARTHEST for coordinate in options.centre):
        parser.error(f"--centre must be within {FARTHEST:g} of 0, where the set is")
    view = View(
        centre=complex(*options.centre),
        span=WHOLE_SET / options.zoom,
        width=options.width,
        height=options.height,
        iterations=options.iterations,
        samples=options.samples,
    )
    return Options(view, options.tile, options.output, options.plain)
