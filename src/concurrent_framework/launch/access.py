"""Who may join a master from other machines: its keys, its tokens and the links it hands out."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from concurrent_framework.security.link import Link
from concurrent_framework.security.private import read_private, write_private
from concurrent_framework.security.tokens import TokenBook
from concurrent_framework.transport.curve import KeyPair, server_keys

if TYPE_CHECKING:
    from concurrent_framework.protocol.session import Hello, Role

_ALL: frozenset[Role] = frozenset({"submit", "execute", "observe", "admin", "host"})


def keys_directory() -> Path:
    """Return where a master without an environment keeps its keys: ``~/.concurrent/keys``."""
    return _home() / "keys"


def journal_directory(name: str) -> Path:
    """Return where a master without an environment keeps its journal, the same for each name."""
    slug = re.sub(r"[^A-Za-z0-9_.-]+", "-", name).strip("-.")[:40] or "master"
    if slug != name:
        slug = f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
    return _home() / "masters" / slug


def _home() -> Path:
    home = os.environ.get("CONCURRENT_HOME")
    return Path(home) if home else Path.home() / ".concurrent"


class Guard(NamedTuple):
    """A master's keys and tokens.

    Args:
        directory: where they are kept, readable by the owner only.
        keys: the CURVE key pair.
        book: the tokens.

    """

    directory: Path
    keys: KeyPair
    book: TokenBook

    @classmethod
    def open(cls, directory: Path) -> Self:
        """Read keys and tokens, or make them on the first start."""
        return cls(directory, server_keys(directory), TokenBook(directory / "tokens.json"))

    def grant(self, hello: Hello, local: bool) -> tuple[frozenset[Role], str]:  # noqa: FBT001 (see MasterPlaces)
        """Return the roles a peer may take, and why it may not take the one it wants."""
        if local:
            return _ALL, ""
        objection = self.book.objection(hello.token, hello.role, time.time())
        return (frozenset(), objection) if objection else (frozenset({hello.role}), "")

    def token(self, role: Role) -> str:
        """Return the token in the links for a role; it stays the same from start to start."""
        file = self.directory / f"{role}.token"
        try:
            token = read_private(file).decode().strip()
        except FileNotFoundError:
            token = ""
        if self.book.role_of(token, time.time()) != role:
            token = self.book.create(role, note="the link printed at the start")
            write_private(file, f"{token}\n".encode())
        return token


def greeting(name: str, guard: Guard | None, endpoint: str, more: str = "") -> str:
    """Return what a master prints when it is ready: how to join it, and more."""
    lines = [f"master {name} is ready; Ctrl-C ends it", "", "on this machine:"]
    lines += ["  concurrent worker", "  concurrent run APP --join auto"]
    if guard is not None:
        scheme, host, port = _public_place(endpoint)
        key = guard.keys.public
        worker = Link(host, port, key, guard.token("execute"), transport=scheme)
        application = Link(host, port, key, guard.token("submit"), transport=scheme)
        lines += ["", "on other machines (whoever has a link may join: keep them private):"]
        lines += [f"  concurrent worker --join '{worker.url()}'"]
        lines += [f"  concurrent run APP --join '{application.url()}'"]
    if more:
        lines += ["", more]
    return "\n".join([*lines, ""])


def _public_place(endpoint: str) -> tuple[str, str, int]:
    """Return the scheme of an endpoint, under which address others reach it, and the port."""
    scheme, _, place = endpoint.partition("://")
    host, _, port = place.rpartition(":")
    host = host.strip("[]")
    if host in {"0.0.0.0", "::", "*"}:  # noqa: S104 (compared, not bound)
        host = _own_address()
    return scheme, host, int(port)


def _own_address() -> str:
    """Return this machine's address in its network, or its name if it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a datagram socket sends nothing; it asks the routing table.
            probe.connect(("192.0.2.1", 9))
        except OSError:
            import psutil

            for addresses in psutil.net_if_addrs().values():
                for address in addresses:
                    if address.family == socket.AF_INET and not address.address.startswith("127."):
                        return address.address
            return socket.gethostname()
        return str(probe.getsockname()[0])
