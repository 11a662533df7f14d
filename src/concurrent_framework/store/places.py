"""What a store is given by whoever opens it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class StorePlaces(NamedTuple):
    """Where a store may put files, and for whom it works. Every store's first argument.

    Args:
        directory: a private directory for it, unless the configuration names another place.
        owner: what people call the master; whoever finds the store in use is told.

    """

    directory: Path | None = None
    owner: str = "master"
