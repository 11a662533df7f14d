"""Tokens: who shows one may act in the role it was made for."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, get_args

import msgspec

from concurrent_framework.model.errors import UsageError
from concurrent_framework.protocol.session import Role
from concurrent_framework.security.private import (
    locked,
    make_private,
    read_private,
    write_private,
)

if TYPE_CHECKING:
    from pathlib import Path

SECRET_BYTES = 24
_COVERS: dict[str, frozenset[str]] = {
    "admin": frozenset({"admin", "submit", "execute", "observe"}),
    "submit": frozenset({"submit", "observe"}),
    "execute": frozenset({"execute"}),
    "observe": frozenset({"observe"}),
}
GRANTABLE = tuple(role for role in get_args(Role) if role in _COVERS)
"""Roles a token can have; ``host`` is not among them: only the master's own children have it."""


class TokenEntry(msgspec.Struct, frozen=True):
    """What is kept of a token. The token itself is not.

    Args:
        id: short name to list and revoke it by.
        role: what its owner may do.
        digest: SHA-256 of the token, lower-case hex.
        created: unix time in seconds.
        expires: unix time in seconds from which it is void, None for never.
        note: whom or what it is for.

    """

    id: str
    role: Role
    digest: str
    created: float
    expires: float | None = None
    note: str = ""

    def expired(self, now: float) -> bool:
        """Whether it is void at this unix time."""
        return self.expires is not None and now >= self.expires


class TokenBook:
    """The tokens of one master, in a file that only its owner can read.

    The file is read each time: what another process creates or revokes holds at once.

    Args:
        file: made on first use, in a directory that is made with mode 0700 if need be.

    Raises:
        UsageError: (each method but `objection`) the file or its directory is open to others, or
            damaged.

    Example:
        ::

            book = TokenBook(Path("keys/tokens.json"))
            token = book.create("execute", note="the lab's desktops")
            assert book.role_of(token, time.time()) == "execute"

    """

    def __init__(self, file: Path) -> None:
        self._file = file

    def create(
        self,
        role: Role,
        expires: float | None = None,
        note: str = "",
        *,
        now: float | None = None,
    ) -> str:
        """Make a token and return its text, which is shown here and never again.

        Args:
            role: ``submit``, ``execute``, ``observe`` or ``admin``.
            expires: unix time in seconds from which it is void, None for never.
            note: whom or what it is for.
            now: unix time in seconds; the clock's if None.

        Raises:
            UsageError: there is no such role, or it has expired already.

        """
        created = time.time() if now is None else now
        if role not in GRANTABLE:
            message = f"there is no token for the role {role!r}: choose one of {_listed(GRANTABLE)}"
            raise UsageError(message)
        if expires is not None and expires <= created:
            message = f"a token for {role} must expire in the future, not on {_date(expires)}"
            raise UsageError(message)
        token = f"{role}-{secrets.token_urlsafe(SECRET_BYTES)}"
        make_private(self._file.parent)
        with locked(self._file.parent):
            known = self.entries()
            taken = {entry.id for entry in known}
            name = secrets.token_hex(4)
            while name in taken:
                name = secrets.token_hex(4)
            self._write([*known, TokenEntry(name, role, _digest(token), created, expires, note)])
        return token

    def entries(self) -> list[TokenEntry]:
        """Return all tokens, expired ones too, the oldest first."""
        try:
            data = read_private(self._file)
        except FileNotFoundError:
            return []
        try:
            return msgspec.json.decode(data, type=list[TokenEntry])
        except msgspec.MsgspecError as error:
            message = f"{self._file} is damaged ({error}): restore it from a backup or remove it"
            raise UsageError(message) from error

    def revoke(self, name: str) -> TokenEntry:
        """Make a token void for whoever introduces himself from now on.

        Args:
            name: its id, as listed.

        Raises:
            UsageError: there is no token of this id.

        """
        make_private(self._file.parent)
        with locked(self._file.parent):
            known = self.entries()
            found = [entry for entry in known if entry.id == name]
            if not found:
                names = _listed([entry.id for entry in known]) or "none"
                message = f"there is no token {name!r}; there are: {names}"
                raise UsageError(message)
            self._write([entry for entry in known if entry.id != name])
        return found[0]

    def role_of(self, token: str, now: float) -> Role | None:
        """Return the role that a token grants at a unix time; None if it grants none."""
        entry = self._find(token)
        return None if entry is None or entry.expired(now) else entry.role

    def objection(self, token: str, wanted: Role, now: float) -> str:
        """Return why a token does not admit to a role, as a sentence; empty if it does.

        Raises nothing: with a book that cannot be read, nobody gets in and the master goes on.
        """
        try:
            entry = self._find(token)
        except UsageError:
            return "this master cannot check tokens: its token file is damaged or open to others"
        if not token:
            return "this master demands a token: join with a whole link that it printed"
        if entry is None:
            return "the token is not known to this master: it was revoked, or is another master's"
        if entry.expired(now):
            assert entry.expires is not None
            return f"the token expired on {_date(entry.expires)}: ask for a new link"
        if not covers(entry.role, wanted):
            return f"the token is for the role {entry.role!r}, it does not allow {wanted!r}"
        return ""

    def _find(self, token: str) -> TokenEntry | None:
        digest = _digest(token)
        match = None
        for entry in self.entries():
            if hmac.compare_digest(entry.digest, digest):
                match = entry
        return match

    def _write(self, entries: list[TokenEntry]) -> None:
        data = msgspec.json.format(msgspec.json.encode(entries), indent=1)
        write_private(self._file, data + b"\n")


def covers(granted: Role, wanted: Role) -> bool:
    """Whether who has one role may act in another.

    Example:
        >>> covers("submit", "observe"), covers("execute", "submit"), covers("admin", "host")
        (True, False, False)

    """
    return wanted in _COVERS.get(granted, frozenset())


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _date(moment: float) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _listed(names: list[str] | tuple[str, ...]) -> str:
    return ", ".join(names)
