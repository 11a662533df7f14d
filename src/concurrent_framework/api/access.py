"""How commands get into the API of a node that runs on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from concurrent_framework.launch.registry import Registry, find, places
from concurrent_framework.model.errors import MasterNotFoundError, UsageError
from concurrent_framework.security.private import read_private

if TYPE_CHECKING:
    from pathlib import Path

API_FILE = "api.json"
"""In a node's run directory: where its API is and a token that opens it, for its user's commands."""


class Access(msgspec.Struct, frozen=True):
    """How to get in.

    Args:
        url: the server's address, without a slash at its end.
        token: opens it.

    """

    url: str
    token: str

    @property
    def link(self) -> str:
        """What a browser opens."""
        return f"{self.url}/?token={self.token}"


def read_access(directory: Path) -> Access | None:
    """Return how to get into the API of the node with this run directory; None if it has none.

    Raises:
        UsageError: the file is open to others.

    """
    try:
        return msgspec.json.decode(read_private(directory / API_FILE), type=Access)
    except (FileNotFoundError, msgspec.MsgspecError):
        return None


def access_to(path: Path | None = None) -> Access:
    """Return how to get into the API of a master that runs on this machine.

    Args:
        path: the environment it was launched from; None for the only master that runs here.

    Raises:
        MasterNotFoundError: none runs, or it serves no API.
        UsageError: several run here, or the environment does not run.

    """
    directory = find().socket.parent if path is None else _directory_of(path)
    access = read_access(directory)
    if access is None:
        message = (
            "the master that runs here serves no API: `concurrent master` does unless api.enabled "
            "is false, and `concurrent run` does with --dashboard"
        )
        raise MasterNotFoundError(message)
    return access


def _directory_of(path: Path) -> Path:
    from concurrent_framework.environment.layout import layout_of
    from concurrent_framework.environment.lock import holder_of

    layout = layout_of(path)
    holder = holder_of(layout)
    for entry in Registry(places()).entries():
        if holder is not None and entry.pid == holder.pid:
            return entry.socket.parent
    message = f"{layout.root} runs no master; `concurrent env launch {layout.root}` starts it"
    raise UsageError(message)
