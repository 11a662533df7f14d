"""The genome of phage lambda is what it says it is."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.samples.dnacurve.genome import (
    LAMBDA,
    Genome,
    Landmark,
    landmarks,
    read_fasta,
)

if TYPE_CHECKING:
    from pathlib import Path


def test_lambda_is_named_with_its_accession_and_has_its_length() -> None:
    genome = read_fasta(LAMBDA)
    assert genome.name.startswith("NC_001416.1")
    assert len(genome.sequence) == 48_502


def test_eco_ri_cuts_lambda_into_the_fragments_of_the_textbook() -> None:
    sequence = read_fasta(LAMBDA).sequence
    cuts = [0, *(match.start() + 1 for match in re.finditer("GAATTC", sequence)), len(sequence)]
    lengths = sorted((end - start for start, end in pairwise(cuts)), reverse=True)
    assert lengths == [21_226, 7_421, 5_804, 5_643, 4_878, 3_530]


def test_the_known_sites_lie_where_the_literature_has_them() -> None:
    assert landmarks(read_fasta(LAMBDA)) == [
        Landmark("origin of replication", 39_034, 39_119),
        Landmark("attachment site attP", 27_724, 27_738),
    ]


def test_another_genome_has_no_landmarks() -> None:
    assert landmarks(Genome("other", "ACGT" * 100)) == []


def test_only_the_first_sequence_of_a_file_is_read_in_any_case(tmp_path: Path) -> None:
    path = tmp_path / "two.fasta"
    path.write_text(">first one\nacg\nTTA\n\n>second\nCCC\n")
    assert read_fasta(path) == Genome("first one", "ACGTTA")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("ACGT\n", "does not start with >"),
        ("", "does not start with >"),
        (">name\nACNGT\n", "not N"),
        (">name\n", "not none"),
    ],
)
def test_what_is_no_fasta_file_is_refused(tmp_path: Path, text: str, complaint: str) -> None:
    path = tmp_path / "wrong.fasta"
    path.write_text(text)
    with pytest.raises(ValueError, match=complaint) as caught:
        read_fasta(path)
    assert str(path) in str(caught.value)
