"""What can be asked of the sample."""

from __future__ import annotations

from argparse import ArgumentDefaultsHelpFormatter, ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.samples.dnacurve.genome import LAMBDA, Genome, read_fasta
from concurrent_framework.samples.dnacurve.wedge import MARGIN
from concurrent_framework.samples.picture import png_file

if TYPE_CHECKING:
    from collections.abc import Sequence


class Options(NamedTuple):
    """The genome, base pairs in a task, places to list, and the picture's file."""

    genome: Genome
    step: int
    top: int
    output: Path


def parse(arguments: Sequence[str]) -> Options:
    """Read the arguments after ``--``; ends the program if they ask for help or are wrong."""
    parser = ArgumentParser(
        prog="concurrent run dnacurve --",
        description="Compute the curvature of DNA by the wedge model and plot it.",
        formatter_class=ArgumentDefaultsHelpFormatter,
    )
    add = parser.add_argument
    add("fasta", type=Path, nargs="?", default=LAMBDA, help="sequence to read")
    add("--step", type=int, default=250, help="base pairs in a task; 1 is the finest")
    add("--top", type=int, default=6, help="most curved places to list")
    add("--output", type=png_file, default="dnacurve.png", help="file to write")
    options = parser.parse_args(arguments)
    for name in ("step", "top"):
        if getattr(options, name) < 1:
            parser.error(f"--{name} must be at least 1")
    try:
        genome = read_fasta(options.fasta)
    except OSError as error:
        parser.error(f"{options.fasta} cannot be read: {error.strerror}")
    except ValueError as error:
        parser.error(str(error))
    if len(genome.sequence) <= 2 * MARGIN:
        parser.error(f"{options.fasta} is too short: {2 * MARGIN + 1} base pairs at least")
    return Options(genome, options.step, options.top, options.output)
