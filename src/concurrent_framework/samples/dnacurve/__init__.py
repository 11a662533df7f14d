"""Curvature of the DNA of phage lambda, by the wedge model."""

from pathlib import Path

LAMBDA = Path(__file__).parent / "NC_001416.fasta"
"""The genome of phage lambda, as a FASTA file."""
