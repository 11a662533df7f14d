"""How a node's HTTP server and its dashboard's process talk: ASGI's own messages over a socket."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from asyncio import StreamReader, StreamWriter

MAX_MESSAGE = 64 * 1024 * 1024
_HEAD = 4
_SCOPE_KEYS = (
    "type",
    "http_version",
    "method",
    "scheme",
    "path",
    "raw_path",
    "query_string",
    "client",
    "server",
    "subprotocols",
)


class Start(msgspec.Struct, tag=True):
    """Server to dashboard, first of all: whose dashboard it is.

    Args:
        url: where the node's API is.
        cookie: in which a browser keeps its token.
        path: under which the dashboard is served.
        config: the node's configuration.
        plugins: the folder of an environment's plug-ins, empty for none.

    """

    url: str
    cookie: str
    path: str
    config: bytes
    plugins: str = ""


class Open(msgspec.Struct, tag=True):
    """Server to dashboard: a request or a WebSocket begins."""

    stream: int
    scope: dict[str, Any]


class Said(msgspec.Struct, tag=True):
    """Either way: an ASGI message of a stream, from the browser or to it."""

    stream: int
    message: dict[str, Any]


class Ended(msgspec.Struct, tag=True):
    """Dashboard to server: the application has returned; `failed` if it raised."""

    stream: int
    failed: bool = False


Message = Start | Open | Said | Ended


class Wire:
    """One end of the socket.

    Args:
        reader: what arrives.
        writer: what leaves.

    """

    def __init__(self, reader: StreamReader, writer: StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._encoder = msgspec.msgpack.Encoder()
        self._decoder: msgspec.msgpack.Decoder[Message] = msgspec.msgpack.Decoder(Message)

    async def send(self, message: Message) -> None:
        """Send a message; waits while the other end is behind.

        Raises:
            ConnectionError: the other end has gone.

        """
        data = self._encoder.encode(message)
        self._writer.write(len(data).to_bytes(_HEAD, "big") + data)
        await self._writer.drain()

    async def receive(self) -> Message | None:
        """Return the next message, None when the other end has gone."""
        from asyncio import IncompleteReadError

        try:
            size = int.from_bytes(await self._reader.readexactly(_HEAD), "big")
            if size > MAX_MESSAGE:
                return None
            return self._decoder.decode(await self._reader.readexactly(size))
        except (IncompleteReadError, ConnectionError):
            return None

    def close(self) -> None:
        """Let go of the socket."""
        self._writer.close()


def travelling(scope: Any) -> dict[str, Any]:
    """Return what of an ASGI scope can travel and matters."""
    found = {key: scope[key] for key in _SCOPE_KEYS if key in scope}
    found["headers"] = [list(one) for one in scope["headers"]]
    found["role"] = scope.get("state", {}).get("role")
    return found


def arrived(scope: dict[str, Any]) -> dict[str, Any]:
    """Return an ASGI scope from what travelled."""
    role = scope.pop("role", None)
    scope["headers"] = [tuple(one) for one in scope["headers"]]
    for key in ("client", "server"):
        if scope.get(key) is not None:
            scope[key] = tuple(scope[key])
    version = {"version": "3.0", "spec_version": "2.3"}
    return {**scope, "root_path": "", "asgi": version, "state": {"role": role}, "extensions": {}}
