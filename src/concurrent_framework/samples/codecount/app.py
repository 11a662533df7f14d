"""Counts Python sources: lines, functions, classes and cyclomatic complexity of each file.

The files are mapped to their counts and reduced to packages on the workers, which read the files
themselves: a swarm of several machines must see the same directory.
"""

from __future__ import annotations

import sysconfig
from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING

from concurrent_framework import ApplicationNode, IApp, MapReduce, implements
from concurrent_framework.samples.codecount.survey import Package, gather, sources, survey
from concurrent_framework.samples.table import table

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Sequence

FILES_PER_TASK = 4


class CodeCount(ApplicationNode):
    """Counts the Python sources below a directory and lists the most complex ones."""

    implements(IApp)

    def app_init(self) -> None:
        self.options = parse(self.arguments)
        self.sources = list(sources(self.options.directory))

    def get_task_system(self) -> MapReduce:
        self.started = perf_counter()
        return MapReduce(survey, gather, self.sources, chunk=FILES_PER_TASK, name="codecount")

    def work_finished(self, result: dict[str, Package], task_system: MapReduce) -> None:
        self.packages = result
        seconds = perf_counter() - self.started
        where = f"{len(self.sources):,} files below {self.options.directory}"
        self.log.info(f"{report(result, self.options.top)}\n\n{where}, {seconds:.1f} s")
        self.shutdown_main_loop()


def report(packages: dict[str, Package], top: int) -> str:
    """Lay out the largest packages, the most complex files, and what could not be counted."""
    fields = ("lines", "functions", "classes", "complexity")
    largest = sorted(packages.items(), key=lambda item: item[1].total("lines"), reverse=True)
    rows = [
        (name, len(package.counted), *(package.total(field) for field in fields))
        for name, package in largest
    ]
    total = ("all", *(sum(column) for column in list(zip(*rows, strict=True))[1:])) if rows else ()
    files = [one for package in packages.values() for one in package.counted]
    files.sort(key=lambda one: (one.counts.worst, one.counts.complexity), reverse=True)
    failed = [one for package in packages.values() for one in package.failed]
    parts = [
        "the largest packages",
        table(["package", "files", *fields], [*rows[:top], *([total] if total else [])]),
        "the files with the most complex functions",
        table(
            ["file", *fields, "worst", "function"],
            [(one.name, *one.counts) for one in files[:top]],
        ),
    ]
    if failed:
        parts += ["not counted", table(["file", "reason"], failed)]
    return "\n\n".join(parts)


def parse(arguments: Sequence[str]) -> Namespace:
    """Read the arguments after ``--``; ends the program if they ask for help or are wrong."""
    parser = ArgumentParser(
        prog="concurrent run codecount --",
        description="Count Python sources and find the most complex ones.",
        formatter_class=ArgumentDefaultsHelpFormatter,
    )
    stdlib = Path(sysconfig.get_path("stdlib"))
    parser.add_argument("directory", type=Path, nargs="?", default=stdlib, help="where to look")
    parser.add_argument("--top", type=int, default=12, help="rows in each table")
    options = parser.parse_args(arguments)
    if not options.directory.is_dir():
        parser.error(f"{options.directory} is no directory")
    if options.top < 1:
        parser.error("--top must be at least 1")
    options.directory = options.directory.resolve()
    return options
