"""The sequence that comes with the sample, and what is known to lie on it.

`NC_001416.fasta` is the genome of phage lambda (NCBI RefSeq NC_001416.1, 48,502 base pairs; Sanger
et al., J Mol Biol 162, 729-773, 1982), taken from Debian's package bowtie2-examples. NCBI places no
restriction on its use.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

LAMBDA = Path(__file__).parent / "NC_001416.fasta"
"""The genome of phage lambda, as a FASTA file."""


class Genome(NamedTuple):
    """A named sequence of the letters A, C, G and T."""

    name: str
    sequence: str


class Landmark(NamedTuple):
    """A place on the genome, in base pairs counted from 1, both ends included."""

    name: str
    start: int
    end: int


LANDMARKS = {
    # Four iterons in a row, bound by the O protein (Tsurimoto and Matsubara, Nucleic Acids Res 9,
    # 1789, 1981). Zahn and Blattner (Nature 317, 451, 1985) found the DNA here to be curved.
    "origin of replication": r"(?:ATCCC[CT][CT]AAA[AT][CT][AG]{2}GGG.{2,7}?){4}",
    # The core of 15 base pairs at which the phage joins the chromosome (Landy and Ross, Science
    # 197, 1147, 1977).
    "attachment site attP": "GCTTTTTTATACTAA",
}
"""Patterns of well-known sites of phage lambda."""


def read_fasta(path: Path) -> Genome:
    """Read the first sequence of a FASTA file.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no FASTA file, or has letters other than A, C, G and T.

    """
    header, *lines = path.read_text(encoding="latin-1").split("\n")
    if not header.startswith(">"):
        message = f"{path} is no FASTA file: its first line does not start with >"
        raise ValueError(message)
    body = "\n".join(lines).partition(">")[0]
    sequence = "".join(body.split()).upper()
    strangers = sorted(set(sequence) - set("ACGT"))
    if strangers or not sequence:
        message = f"{path} must hold the letters A, C, G and T, not {' '.join(strangers) or 'none'}"
        raise ValueError(message)
    return Genome(header[1:].strip(), sequence)


def landmarks(genome: Genome) -> list[Landmark]:
    """Find the known sites on a genome; none on one that is not phage lambda."""
    return [
        Landmark(name, match.start() + 1, match.end())
        for name, pattern in LANDMARKS.items()
        for match in re.finditer(pattern, genome.sequence)
    ]
