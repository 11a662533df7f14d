"""Chaos needs a place of its own, as clusters do."""

from __future__ import annotations

from tests.cluster.conftest import place

__all__ = ["place"]
