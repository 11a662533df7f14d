"""Key pairs of the CURVE encryption, and where a master keeps its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import zmq

from concurrent_framework.model.errors import UsageError
from concurrent_framework.security.private import (
    locked,
    make_private,
    read_private,
    write_private,
)

if TYPE_CHECKING:
    from pathlib import Path

KEY_FILE = "server.key"
PUBLIC_FILE = "server.pub"


class KeyPair(NamedTuple):
    """A public and a secret key, each 40 characters of Z85. Printing it shows the public one."""

    public: str
    secret: str

    def __repr__(self) -> str:
        return f"KeyPair(public={self.public!r})"


def new_keys() -> KeyPair:
    """Make a key pair.

    Example:
        >>> len(new_keys().public)
        40

    """
    public, secret = zmq.curve_keypair()
    return KeyPair(public.decode(), secret.decode())


def server_keys(directory: Path) -> KeyPair:
    """Return a master's keys, which are made on first use.

    Args:
        directory: made with mode 0700 if need be; holds ``server.key`` (0600) and ``server.pub``.

    Raises:
        UsageError: the directory or the key file is open to others, or a file is damaged.

    """
    make_private(directory)
    with locked(directory):
        try:
            return load_keys(directory)
        except FileNotFoundError:
            keys = new_keys()
            # The secret key comes last: as long as it is missing, both are made anew.
            write_private(directory / PUBLIC_FILE, f"{keys.public}\n".encode())
            write_private(directory / KEY_FILE, f"{keys.secret}\n".encode())
            return keys


def load_keys(directory: Path) -> KeyPair:
    """Return the keys that `server_keys` stored.

    Raises:
        FileNotFoundError: there is no secret key.
        UsageError: the secret key is open to others or damaged, or not that of ``server.pub``.

    """
    path = directory / KEY_FILE
    secret = _key(path, read_private(path))
    public = zmq.curve_public(secret.encode()).decode()
    try:
        stored = _key(directory / PUBLIC_FILE, (directory / PUBLIC_FILE).read_bytes())
    except FileNotFoundError:
        stored = public
    except OSError as error:
        message = f"cannot read {directory / PUBLIC_FILE}: {error.strerror}"
        raise UsageError(message) from error
    if stored != public:
        message = (
            f"{directory / PUBLIC_FILE} is not the public half of {path}: remove it if the secret key "
            "is right; restore both from a backup otherwise"
        )
        raise UsageError(message)
    return KeyPair(public, secret)


def is_key(text: str) -> bool:
    """Whether a text can be a key: 40 characters of the Z85 alphabet."""
    try:
        zmq.curve_public(text.encode("ascii"))
    except (ValueError, zmq.ZMQError):
        return False
    return len(text) == 40


def _key(path: Path, data: bytes) -> str:
    text = data.decode("ascii", "replace").strip()
    if not is_key(text):
        message = (
            f"{path} is damaged: restore it from a backup, or remove it to make new keys "
            "(links given out before are void then)"
        )
        raise UsageError(message)
    return text
