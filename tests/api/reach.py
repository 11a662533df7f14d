"""HTTP as strangers speak it, to see what a node answers to anything."""

from __future__ import annotations

import http.client
import json
from typing import Any, NamedTuple
from urllib.parse import urlsplit


class Answer(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Reach:
    """Sends requests to a node.

    Args:
        url: where it is.
        token: its token, sent unless told otherwise.

    """

    def __init__(self, url: str, token: str) -> None:
        self.url = url
        self.token = token
        self.port = urlsplit(url).port or 0

    def send(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        *,
        token: bool = True,
    ) -> Answer:
        """Send one request."""
        sent = {"Authorization": f"Bearer {self.token}"} if token else {}
        if body is not None:
            sent["Content-Type"] = "application/json"
            body = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {**sent, **(headers or {})})
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())
        finally:
            connection.close()

    def get(
        self, path: str, headers: dict[str, str] | None = None, *, token: bool = True
    ) -> Answer:
        """GET a path."""
        return self.send("GET", path, None, headers, token=token)
