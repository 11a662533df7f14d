"""Chaos needs a place of its own, as clusters do, and a database server, as stores do."""

from __future__ import annotations

from tests.cluster.conftest import place
from tests.store.postgres import postgres

__all__ = ["place", "postgres"]
