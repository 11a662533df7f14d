"""Links: all that a node needs to join a master, in one line to copy."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from concurrent_framework.model.errors import UsageError

DEFAULT_PORT = 8081
SCHEME = "concurrent"
_Z85 = frozenset(
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
)
_KEY_LENGTH = 40


@dataclass(frozen=True)
class Link:
    """How a node gets in: a master on the network, or one on this machine by its `path`.

    Printing it hides the token; `url` shows it.

    Args:
        host: name or address of the master's machine, IPv6 addresses without brackets.
        port: TCP port, 1 to 65535.
        server_key: the master's public key, 40 characters of Z85.
        token: proof of the role that the link grants.
        path: absolute path of a private Unix socket, instead of all the rest.
        transport: scheme of the endpoint; other than ``tcp`` are those of plug-ins.

    Example:
        >>> link = Link("lab7", 8081, "x" * 40, "execute-secret")
        >>> Link.parse(link.url()) == link
        True
        >>> link.endpoint
        'tcp://lab7:8081'

    """

    host: str = ""
    port: int = DEFAULT_PORT
    server_key: str = ""
    token: str = field(default="", repr=False)
    path: str = ""
    transport: str = "tcp"

    @property
    def endpoint(self) -> str:
        """What the transport connects to: ``tcp://host:port`` or ``ipc:///path``."""
        return f"ipc://{self.path}" if self.path else f"{self.transport}://{self._place()}"

    def url(self) -> str:
        """Return the link as text for `parse`. It holds the token: show it to its owner only.

        Has to be quoted in a shell.
        """
        if self.path:
            return f"ipc://{quote(self.path)}"
        query = f"key={quote(self.server_key, safe='')}"
        if self.token:
            query += f"&token={quote(self.token, safe='')}"
        if self.transport != "tcp":
            query += f"&transport={quote(self.transport, safe='')}"
        return f"{SCHEME}://{self._place()}?{query}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a link.

        Args:
            text: ``concurrent://host[:port]?key=…&token=…`` or ``ipc:///path``.

        Raises:
            UsageError: it is malformed; the message never repeats the token.

        """
        text = text.strip()
        scheme, separator, rest = text.partition("://")
        if not separator:
            message = (
                f"{_shown(text)!r} is no link: expected {SCHEME}://HOST:PORT?key=…&token=… as the "
                "master printed it, or ipc:///PATH"
            )
            raise UsageError(message)
        if scheme == "ipc":
            if not rest.startswith("/"):
                message = f"the link {text!r} needs an absolute path, as in ipc:///run/master"
                raise UsageError(message)
            return cls(port=0, path=unquote(rest))
        if scheme != SCHEME:
            hint = ", with its key and token" if scheme == "tcp" else ""
            message = (
                f"the link {_shown(text)!r} must begin with {SCHEME}:// or ipc://: "
                f"copy it as the master printed it{hint}"
            )
            raise UsageError(message)
        return cls._parse_remote(text)

    @classmethod
    def _parse_remote(cls, text: str) -> Self:
        shown = _shown(text)
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError as error:
            message = f"the link {shown!r} has no valid host and port: {error}"
            raise UsageError(message) from None
        if not host or port == 0 or parts.username is not None:
            message = f"the link {shown!r} has no valid host and port"
            raise UsageError(message)
        if parts.path not in {"", "/"} or parts.fragment:
            message = (
                f"the link {shown!r} is malformed after the port: expected ?key=…&token=…, with "
                "special characters encoded as the master printed them"
            )
            raise UsageError(message)
        fields = dict(parse_qsl(parts.query, keep_blank_values=True))
        unknown = sorted(fields.keys() - {"key", "token", "transport"})
        if unknown:
            message = f"the link {shown!r} has an unknown part {unknown[0]!r}: copy it again"
            raise UsageError(message)
        key = fields.get("key", "")
        if not key:
            message = f"the link {shown!r} has no key: copy it whole, in a shell within quotes"
            raise UsageError(message)
        if len(key) != _KEY_LENGTH or not _Z85.issuperset(key):
            message = f"the key in the link {shown!r} is damaged: copy the link again, whole"
            raise UsageError(message)
        transport = fields.get("transport") or "tcp"
        return cls(host, port or DEFAULT_PORT, key, fields.get("token", ""), transport=transport)

    def _place(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def _shown(text: str) -> str:
    """Return what may be shown of a link: nothing from the key on."""
    place, question, _ = text.partition("?")
    return f"{place}?…" if question else place
