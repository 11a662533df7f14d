from __future__ import annotations

from tests.store.postgres import postgres

__all__ = ["postgres"]
