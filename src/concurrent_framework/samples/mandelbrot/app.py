"""Draws the Mandelbrot set, by a task system or, with ``--plain``, by plain tasks.

Both ways use the same tasks. The task system runs on the master's side, where it would go on if this
application were closed; with plain tasks, the application itself gets every tile as it is done.
"""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np

from concurrent_framework import ApplicationNode, IApp, Task, TaskSystem, implements
from concurrent_framework.samples.mandelbrot.colours import Pixels, first_steps, render
from concurrent_framework.samples.mandelbrot.fractal import Tile, View, tiles
from concurrent_framework.samples.mandelbrot.options import parse
from concurrent_framework.samples.spelling import command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from concurrent_framework import SystemMaster, TaskError

NEXT = """
Look closer         {command} run mandelbrot -- --zoom 100000
All options         {command} run mandelbrot -- --help
More samples        {command} run NAME, for md5, expensive, dnacurve, codecount
This one's source   {source}"""


class RenderTile(Task):
    """Computes the pixels of one tile."""

    def __init__(self, view: View, tile: Tile, first: float) -> None:
        super().__init__(f"tile {tile.left},{tile.top}")
        self.view = view
        self.tile = tile
        self.first = first

    def __call__(self) -> Pixels:
        return render(self.view, self.tile, self.first)


class Canvas:
    """A picture that is filled tile by tile."""

    def __init__(self, view: View, size: int) -> None:
        self.view = view
        self.size = size
        self.pixels: Pixels = np.zeros((view.height, view.width, 3), dtype=np.uint8)
        self.done = 0
        self.total = sum(1 for _ in tiles(view, size))

    def tasks(self) -> Iterator[RenderTile]:
        """Make the tasks that fill it, when they are asked for."""
        first = first_steps(self.view)
        return (RenderTile(self.view, tile, first) for tile in tiles(self.view, self.size))

    def fill(self, tile: Tile, pixels: Pixels) -> None:
        """Put a tile in its place."""
        rows = slice(tile.top, tile.top + tile.height)
        self.pixels[rows, tile.left : tile.left + tile.width] = pixels
        self.done += 1


class DrawPicture(TaskSystem):
    """Collects the tiles of a picture; its result are the pixels."""

    name = "mandelbrot"

    def __init__(self, view: View, size: int) -> None:
        self.view = view
        self.size = size

    def init_system(self, master: SystemMaster) -> None:
        self.canvas = Canvas(self.view, self.size)

    def generate_tasks(self, master: SystemMaster) -> Iterator[Task]:
        return self.canvas.tasks()

    def task_finished(
        self, master: SystemMaster, task: RenderTile, result: Pixels, error: TaskError | None
    ) -> None:
        if error:
            error.raise_()
        self.canvas.fill(task.tile, result)
        master.progress(self.canvas.done, self.canvas.total, "tiles")

    def gather_result(self, master: SystemMaster) -> Pixels:
        return self.canvas.pixels


class Mandelbrot(ApplicationNode):
    """Draws a part of the Mandelbrot set and writes it to a PNG file."""

    implements(IApp)

    def app_init(self) -> None:
        self.options = parse(self.arguments)

    def get_task_system(self) -> TaskSystem | None:
        self.started = perf_counter()
        if self.options.plain:
            return None
        return DrawPicture(self.options.view, self.options.tile)

    def work_finished(self, result: Pixels, task_system: TaskSystem) -> None:
        self.finish(result)

    def start_processing(self) -> None:
        if self.options.plain:
            self.canvas = Canvas(self.options.view, self.options.tile)
            self.push_tasks(self.canvas.tasks())

    def task_finished(self, task: RenderTile, result: Pixels, error: TaskError | None) -> None:
        if error:
            error.raise_()
        self.canvas.fill(task.tile, result)
        self.progress(self.canvas.done, self.canvas.total, "tiles")
        if self.canvas.done == self.canvas.total:
            self.finish(self.canvas.pixels)

    def finish(self, pixels: Pixels) -> None:
        """Write the picture and say what it shows."""
        from matplotlib.image import imsave

        view, output = self.options.view, self.options.output
        seconds = perf_counter() - self.started
        imsave(output, pixels)
        size = f"{view.width} x {view.height} pixels, each the mean of {view.samples**2} points"
        self.log.info(f"{output}: {size}, computed in {seconds:.1f} s.")
        self.log.info(NEXT.format(command=command(), source=__file__))
        self.shutdown_main_loop()
