"""Removing an environment with everything in it."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from concurrent_framework.environment.files import telling
from concurrent_framework.environment.lock import locked

if TYPE_CHECKING:
    from concurrent_framework.environment.environment import Environment


def delete(environment: Environment) -> None:
    """Remove an environment, its data, keys and backups.

    It is gone from its path at once; an environment is never seen half deleted.

    Raises:
        UsageError: if it is running or being changed.
        ConcurrentError: if the files may not be removed.

    """
    root = environment.layout.root
    with locked(environment.layout, "deleting it"):
        environment.tell("deleted")
        with telling(f"delete {root}"):
            doomed = root.with_name(f".{root.name}.{os.getpid()}.deleted")
            root.rename(doomed)
            shutil.rmtree(doomed)
