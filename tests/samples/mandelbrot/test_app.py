"""The sample mandelbrot, run on a cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from matplotlib.image import imread

from concurrent_framework import run
from concurrent_framework.samples.mandelbrot import Mandelbrot
from concurrent_framework.samples.mandelbrot.colours import first_steps, render
from concurrent_framework.samples.mandelbrot.fractal import Tile
from concurrent_framework.samples.mandelbrot.options import parse

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("how", [[], ["--plain"]], ids=["task system", "plain tasks"])
def test_the_picture_is_what_one_process_computes(
    how: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "picture.png"
    size = ["--width", "70", "--height", "50", "--tile", "16", "--iterations", "200"]
    arguments = [*size, "--output", str(path), *how]
    run(Mandelbrot, workers=2, arguments=arguments)
    view = parse(arguments).view
    expected = render(view, Tile(0, 0, 70, 50), first_steps(view))
    drawn = np.rint(imread(path)[:, :, :3] * 255).astype(np.uint8)
    np.testing.assert_array_equal(drawn, expected)
    assert f"{path}: 70 x 50 pixels" in capsys.readouterr().out
