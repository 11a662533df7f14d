"""Bringing an environment of an older version up to date."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from concurrent_framework.environment.files import telling
from concurrent_framework.environment.layout import VERSION, Layout
from concurrent_framework.environment.lock import locked
from concurrent_framework.environment.saving import backup, unpack
from concurrent_framework.environment.settings import change
from concurrent_framework.model.errors import ConcurrentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from concurrent_framework.environment.environment import Environment

    Step = Callable[[Layout], None]

STEPS: dict[int, Step] = {}
"""What changes an environment of a version into one of the next."""


def upgrade(
    environment: Environment, *, steps: Mapping[int, Step] = STEPS, version: int = VERSION
) -> Path | None:
    """Bring an environment to this code's version; return the backup made before, if one was.

    If a step fails, the environment is put back from that backup.

    Args:
        environment: opened with ``check=False``, since it may be of another version.
        steps: by the version they start from.
        version: where to.

    Raises:
        UsageError: if it is of a newer version, or running.
        ConcurrentError: if a step fails; the environment is then as it was.

    """
    layout, found = environment.layout, environment.version
    if found == version:
        return None
    if found > version:
        message = (
            f"{layout.root} is of version {found}, which this concurrent-framework does not know "
            f"(it knows up to {version}): install a newer one"
        )
        raise UsageError(message)
    with locked(layout, "upgrading it"):
        saved = backup(environment)
        try:
            for number in range(found, version):
                steps[number](layout)
                change(layout, "environment", "version", number + 1)
        except BaseException as error:
            _put_back(layout, saved)
            if not isinstance(error, Exception):
                raise
            message = (
                f"{layout.root} could not be upgraded from version {number}: {error}; "
                f"it is as it was, and saved in {saved}"
            )
            raise ConcurrentError(message) from error
    environment.tell("upgraded", found)
    return saved


def _put_back(layout: Layout, saved: Path) -> None:
    """Replace what an upgrade left by what the backup holds; backups and the lock stay."""
    with telling(f"put {layout.root} back from {saved}"):
        whole = layout.run / f"restored-{os.getpid()}"
        unpack(saved, whole)
        kept = {layout.run.name, layout.backups.name}
        for path in layout.root.iterdir():
            if path.name in kept:
                continue
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
            else:
                path.unlink()
        for path in whole.iterdir():
            if path.name not in kept:
                path.rename(layout.root / path.name)
        shutil.rmtree(whole)
