"""What is where in an environment."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

VERSION = 1
"""The version of environments that this code makes and launches."""

CONFIG = "env.toml"
LOG = "environment.log"

FOLDERS = {
    "plugins": 0o755,
    "logs": 0o755,
    "data": 0o755,
    "keys": 0o700,
    "backups": 0o700,
    "run": 0o700,
}
"""The folders of an environment and who may look into them: keys and sockets are the owner's."""

TRANSIENT = frozenset({"run", "backups"})
"""Folders that a backup leaves out."""


class Layout(NamedTuple):
    """The paths of an environment.

    Args:
        root: its directory, absolute.

    """

    root: Path

    @property
    def config(self) -> Path:
        """The configuration."""
        return self.root / CONFIG

    @property
    def plugins(self) -> Path:
        """Modules and packages that are imported when the environment is opened."""
        return self.root / "plugins"

    @property
    def logs(self) -> Path:
        """Log files, the newest being `log`."""
        return self.root / "logs"

    @property
    def log(self) -> Path:
        """The log that is being written."""
        return self.logs / LOG

    @property
    def data(self) -> Path:
        """What the application keeps; a master's journal too."""
        return self.root / "data"

    @property
    def keys(self) -> Path:
        """Encryption keys and tokens, readable by the owner only."""
        return self.root / "keys"

    @property
    def backups(self) -> Path:
        """Where backups go unless told otherwise."""
        return self.root / "backups"

    @property
    def run(self) -> Path:
        """What exists only while the environment runs: lock and sockets."""
        return self.root / "run"

    @property
    def lock(self) -> Path:
        """Locked while the environment runs or is being changed."""
        return self.run / "lock"

    def make_folders(self) -> None:
        """Make the folders that are missing."""
        for name, mode in FOLDERS.items():
            folder = self.root / name
            if not folder.is_dir():
                folder.mkdir(mode=mode)


def layout_of(path: Path) -> Layout:
    """Return the layout of the environment at a path.

    Raises:
        UsageError: if there is none.

    """
    root = path.expanduser().resolve()
    if not root.exists():
        message = f"{path}: there is no such directory; `concurrent env create {path}` makes one"
        raise UsageError(message)
    if not (root / CONFIG).is_file():
        message = f"{path} is no environment: it has no {CONFIG}"
        raise UsageError(message)
    return Layout(root)
