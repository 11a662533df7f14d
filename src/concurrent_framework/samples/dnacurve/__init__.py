"""Curvature of the DNA of phage lambda, by the wedge model."""
