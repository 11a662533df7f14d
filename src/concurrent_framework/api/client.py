"""A synchronous client of a node's API, on the standard library alone."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, Self

from concurrent_framework.model.errors import ConcurrentError, MasterNotFoundError, RefusedError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from concurrent_framework.api.access import Access

TIMEOUT = 30.0


class ApiError(ConcurrentError):
    """The node answered with an error.

    Args:
        code: one of JSON-RPC's or of ours; `rpc.discover` says what they mean.
        message: what the node says.

    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Client:
    """Calls the API methods of a node.

    Args:
        url: ``http://127.0.0.1:8080``, or the link that the node printed.
        token: what lets in; may be empty if the link has it.
        timeout: seconds to wait for an answer.

    Example:
        ::

            client = Client("http://127.0.0.1:8080/?token=admin-…")
            for one in client.applications.list()["applications"]:
                print(one["name"], one["state"])
            client.call("tasks.cancel", task="3/17")
            for event in client.follow():
                print(event["kind"], event.get("text", ""))

    """

    def __init__(self, url: str, token: str = "", timeout: float = TIMEOUT) -> None:
        place, _, query = url.partition("?")
        self.url = place.rstrip("/")
        given = [part.partition("=")[2] for part in query.split("&") if part.startswith("token=")]
        self._token = token or "".join(given[:1])
        self._timeout = timeout
        self._calls = 0

    @classmethod
    def of(cls, path: Path | None = None) -> Self:
        """Return a client of the master on this machine.

        Args:
            path: an environment that runs; None for the only master that runs here.

        Raises:
            MasterNotFoundError: none runs, or it serves no API.
            UsageError: several run here.

        """
        access = _access_to(path)
        return cls(access.url, access.token)

    def __getattr__(self, noun: str) -> _Noun:
        if noun.startswith("_"):
            raise AttributeError(noun)
        return _Noun(self, noun)

    def call(self, method: str, /, *positional: Any, **named: Any) -> Any:
        """Call a method and return its result.

        Args:
            method: its name; `rpc.discover` lists them.
            positional: its parameters in their order, or
            named: by their names; not both.

        Raises:
            ApiError: the node answered with an error.
            MasterNotFoundError: nothing answers at the address.
            RefusedError: the token does not let in.

        """
        self._calls += 1
        params: Any = list(positional) if positional else named
        request = {"jsonrpc": "2.0", "method": method, "params": params, "id": self._calls}
        return _result_of(self._post(request))

    def batch(self, calls: Sequence[tuple[str, dict[str, Any]]]) -> list[Any]:
        """Call several methods in one request.

        Args:
            calls: name and parameters of each.

        Returns:
            What each returned, in their order; an `ApiError` in the place of one that failed.

        """
        requests = [
            {"jsonrpc": "2.0", "method": name, "params": params, "id": number}
            for number, (name, params) in enumerate(calls)
        ]
        answers = {one["id"]: one for one in self._post(requests)} if requests else {}
        return [_result_or_error(answers[number]) for number in range(len(requests))]

    def get(self, path: str) -> str:
        """Return what the node answers to GET, such as ``/metrics``."""
        with self._open(path) as response:
            text: str = response.read().decode()
        return text

    def follow(self, after: str = "", kinds: Sequence[str] = ()) -> Iterator[dict[str, Any]]:
        """Return an iterator over what happens from now on, as it happens, until the node ends.

        Args:
            after: the id of the last event known, to go on from there; empty for what is new.
            kinds: only events whose kind begins with one of these; empty for all.

        """
        headers = {"Last-Event-ID": after} if after else {}
        query = f"?kinds={','.join(kinds)}" if kinds else ""
        stream = self._open(f"/events{query}", headers=headers, timeout=None)
        stream.readline()  # a greeting: from here on nothing is missed
        return _events_of(stream)

    def _post(self, request: Any) -> Any:
        body = json.dumps(request).encode()
        headers = {"Content-Type": "application/json"}
        with self._open("/api/1", body, headers) as response:
            return json.load(response)

    def _open(
        self,
        path: str,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
        timeout: float | None = TIMEOUT,
    ) -> Any:
        sent = {"Authorization": f"Bearer {self._token}", **(headers or {})}
        request = urllib.request.Request(f"{self.url}{path}", body, sent)  # noqa: S310 (see below)
        try:
            # A proxy for the world outside is none for this machine; nor is a file an API.
            opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
            return opener.open(request, timeout=timeout and min(timeout, self._timeout))
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(error, self.url) from None
        except (urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            message = f"no API answers at {self.url}: {reason}; is the node running?"
            raise MasterNotFoundError(message) from None


class _Noun:
    """``client.applications``: the methods whose names begin with it."""

    def __init__(self, client: Client, noun: str) -> None:
        self._client = client
        self._noun = noun

    def __getattr__(self, verb: str) -> Any:
        if verb.startswith("_"):
            raise AttributeError(verb)
        name = f"{self._noun}.{verb}"

        def call(*positional: Any, **named: Any) -> Any:
            return self._client.call(name, *positional, **named)

        return call


def _events_of(stream: Any) -> Iterator[dict[str, Any]]:
    with stream:
        for line in stream:
            if line.startswith(b"data: {"):
                yield json.loads(line[6:])


def _access_to(path: Path | None) -> Access:
    from concurrent_framework.api.access import access_to

    return access_to(path)


def _result_of(answer: dict[str, Any]) -> Any:
    if "error" in answer:
        raise ApiError(answer["error"]["code"], answer["error"]["message"])
    return answer["result"]


def _result_or_error(answer: dict[str, Any]) -> Any:
    try:
        return _result_of(answer)
    except ApiError as error:
        return error


def _refusal(error: urllib.error.HTTPError, url: str) -> ConcurrentError:
    try:
        reason = json.load(error)["error"]
    except (ValueError, KeyError, TypeError):
        reason = error.reason
    text = f"{url} refused: {reason}"
    return RefusedError(text) if error.code in {401, 403} else ApiError(error.code, text)
