"""Curvature of the DNA of phage lambda, by the wedge model."""

from concurrent_framework.samples.requirements import require

require("dnacurve", "numpy", "matplotlib")

from concurrent_framework.samples.dnacurve.app import DnaCurve  # noqa: E402 (needs numpy)

__all__ = ["DnaCurve"]
