"""Connections that break, come back, are refused, or belong to somebody who cheats."""

from __future__ import annotations

import asyncio
import gc
import http.server
import os
import socket
import sys
import threading
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest
import zmq

from concurrent_framework.transport import watching
from concurrent_framework.transport.curve import new_keys
from concurrent_framework.transport.framing import STANDARD, Tuning
from concurrent_framework.transport.zmq import ZmqClient, ZmqServer
from tests.transport.wires import Wire, trouble, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from concurrent_framework.transport.base import LinkProblem


@pytest.fixture(params=["ipc", "tcp"])
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    wire = Wire(request.param)
    yield wire
    wire.close()


@pytest.fixture
def tcp() -> Iterator[Wire]:
    wire = Wire("tcp")
    yield wire
    wire.close()


def doors(server: ZmqServer) -> list[LinkProblem]:
    """Wait until a server reports callers that it turned away."""
    found: list[LinkProblem] = []

    def look() -> bool:
        found.extend(server.problems())
        return bool(found)

    until(look, server)
    return found


def test_a_connection_comes_back_by_itself_with_another_handle(wire: Wire) -> None:
    client, before = wire.introduced()
    endpoint = wire.server.tcp_endpoint or "tcp://127.0.0.1:*"
    wire.server.close(0)
    assert trouble(client, "lost")
    wire.server = wire.open_server(endpoint)
    assert client.send([b"again"])
    [(after, _, frames)] = wire.at_server()
    assert frames == [b"again"]
    if wire.kind == "tcp":
        assert after != before
    assert wire.server.send(after, [b"welcome back"])
    assert wire.at_client(client) == [[b"welcome back"]]


def test_a_client_may_start_before_the_server(wire: Wire) -> None:
    endpoint = wire.server.tcp_endpoint
    client = wire.connect()
    wire.server.close(0)
    assert trouble(client, "refused") or endpoint
    assert client.send([b"early"])
    wire.server = wire.open_server(endpoint)
    assert wire.at_server()[0].frames == [b"early"]


def test_nobody_listens(tcp: Wire) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    client = ZmqClient(f"tcp://127.0.0.1:{port}", tcp.keys.public)
    problem = trouble(client, "refused")
    client.close(0)
    assert problem.text == f"nobody answers at tcp://127.0.0.1:{port}"


def test_nobody_listens_on_a_path(tcp: Wire) -> None:
    client = ZmqClient(f"ipc://{tcp.directory}/none")
    problem = trouble(client, "refused")
    client.close(0)
    assert problem.text == f"nobody answers at ipc://{tcp.directory}/none"


def test_a_name_that_is_not_known(tcp: Wire) -> None:
    client = ZmqClient("tcp://no-such-host.invalid:8081", tcp.keys.public)
    problem = trouble(client, "refused")
    client.close(0)
    assert "cannot reach tcp://no-such-host.invalid:8081: its name is not known" in problem.text


def test_an_outage_is_told_once(tcp: Wire) -> None:
    client, _ = tcp.introduced()
    endpoint = tcp.server.tcp_endpoint
    tcp.server.close(0)
    trouble(client, "refused")
    dials = watched_dials(client)
    assert client.problems() == []
    assert dials >= 2
    tcp.server = tcp.open_server(endpoint)
    client.send([b"x"])
    tcp.at_server()
    tcp.server.close(0)
    assert trouble(client, "lost")


def watched_dials(client: ZmqClient) -> int:
    """Let a client dial a few times in vain; feed its events through as `receive` does."""
    dials = 0

    def dialled() -> bool:
        nonlocal dials
        for event in client._monitor.events():
            dials += event.kind == zmq.EVENT_CLOSED
            problem = client._dialling.feed(event, 0.0)
            if problem is not None:
                client._problems.append(problem)
        return dials >= 2

    until(dialled, client)
    return dials


def test_the_wrong_key_is_told_on_both_sides(tcp: Wire) -> None:
    client = ZmqClient(tcp.server.tcp_endpoint, new_keys().public)
    client.send([b"secret"])
    problem = trouble(client, "key", tcp.server)
    told = doors(tcp.server)
    client.close(0)
    assert problem.text == (
        f"cannot agree with {tcp.server.tcp_endpoint}: the key in the link is not that of the "
        "master there, or what listens there is no Concurrent master"
    )
    assert told[0].kind == "key"
    assert "the key it was given is not this master's" in told[0].text
    assert tcp.server.receive(10) == []


def test_a_caller_without_encryption_is_turned_away(tcp: Wire) -> None:
    with zmq.Context() as context, context.socket(zmq.DEALER) as stranger:
        stranger.setsockopt(zmq.LINGER, 0)
        stranger.connect(tcp.server.tcp_endpoint)
        stranger.send(b"let me in")
        told = doors(tcp.server)
    # Which side notices the other's language first is open.
    assert "was turned away at tcp://" in told[0].text
    assert tcp.server.receive(10) == []


def test_a_caller_that_hangs_up_is_told_with_its_address(tcp: Wire) -> None:
    port = int(tcp.server.tcp_endpoint.rpartition(":")[2])
    with socket.create_connection(("127.0.0.1", port)) as caller:
        # The server's greeting tells that it has taken the call.
        assert caller.recv(1)
        until(
            lambda: tcp.server.pending() or tcp.server._ends[0].door._callers != {},
            tcp.server,
        )
    told = doors(tcp.server)
    assert told[0].text.startswith("a caller from 127.0.0.1 was turned away")
    assert "broke off" in told[0].text


def test_something_else_listens_and_later_the_master(
    tcp: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ZeroMQ gives up on a peer that answers in another protocol; we dial again."""
    monkeypatch.setattr(watching, "REDIAL", 0.05)
    endpoint = tcp.server.tcp_endpoint
    tcp.server.close(0)
    with zmq.Context() as context, context.socket(zmq.ROUTER) as other:
        other.bind(endpoint)
        client = ZmqClient(endpoint, tcp.keys.public)
        client.send([b"lost with the connection"])
        assert trouble(client, "key")
    tcp.clients.append(client)
    tcp.server = tcp.open_server(endpoint)

    def heard() -> bool:
        client.problems()
        client.send([b"hello"])
        return bool(tcp.server.receive(1))

    until(heard, client, tcp.server)


class Silent(http.server.BaseHTTPRequestHandler):
    def log_message(self, *arguments: object) -> None: ...


def test_a_web_server_is_no_master(tcp: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    with http.server.HTTPServer(("127.0.0.1", 0), Silent) as web:
        threading.Thread(target=web.serve_forever, args=(0.01,), daemon=True).start()
        client = ZmqClient(f"tcp://127.0.0.1:{web.server_port}", tcp.keys.public)
        client._socket.setsockopt(zmq.HANDSHAKE_IVL, 100)
        monkeypatch.setattr(watching, "REDIAL", 0.05)
        client._redial(client._endpoint)
        problem = trouble(client, "key")
        client.close(0)
        web.shutdown()
    assert "what listens there is no Concurrent master" in problem.text


def test_a_frame_that_is_too_large_breaks_the_connection() -> None:
    wire = Wire("tcp", Tuning(max_frame=1000))
    client, _ = wire.introduced()
    client.send([bytes(2000)])
    assert wire.trouble(client, "lost")
    client.send([bytes(1000)])
    assert [len(frame) for frame in wire.at_server()[0].frames] == [1000]
    wire.close()


def test_a_stranger_cannot_take_over_a_connection(tcp: Wire) -> None:
    client, peer = tcp.introduced()
    assert isinstance(peer, bytes)
    client.close(0)
    until(lambda: not tcp.server.send(peer, [b"anybody?"]), tcp.server)
    public, secret = zmq.curve_keypair()
    with zmq.Context() as context, context.socket(zmq.DEALER) as thief:
        thief.setsockopt(zmq.LINGER, 0)
        thief.setsockopt(zmq.ROUTING_ID, peer[:5])
        thief.setsockopt(zmq.CURVE_SERVERKEY, tcp.keys.public.encode())
        thief.setsockopt(zmq.CURVE_PUBLICKEY, public)
        thief.setsockopt(zmq.CURVE_SECRETKEY, secret)
        thief.connect(tcp.server.tcp_endpoint)
        thief.send(b"I am the one you know")
        [received] = tcp.at_server()
        assert isinstance(received.peer, bytes)
        assert received.peer[:5] == peer[:5]
        assert received.peer != peer


def test_handles_cannot_be_guessed() -> None:
    """ZeroMQ alone would number the connections of each process alike."""
    first = b""
    for _ in range(2):
        wire = Wire("tcp")
        _, peer = wire.introduced()
        wire.close()
        assert peer[:5] != first
        first = peer[:5]


def test_a_server_may_have_both_endpoints() -> None:
    wire = Wire("ipc")
    wire.server.close(0)
    wire.server = ZmqServer(ipc=wire.directory / "m", tcp="tcp://127.0.0.1:*", keys=wire.keys)
    near = wire.connect()
    far = ZmqClient(wire.server.tcp_endpoint, wire.keys.public)
    wire.clients.append(far)
    near.send([b"near"])
    far.send([b"far"])
    received = wire.at_server(2)
    assert {one.frames[0]: one.local for one in received} == {b"near": True, b"far": False}
    for one in received:
        assert wire.server.send(one.peer, one.frames)
    assert wire.at_client(near) == [[b"near"]]
    assert wire.at_client(far) == [[b"far"]]
    wire.close()


class Echo:
    """A server and a client on one event loop, as the module's documentation wants it."""

    def __init__(self, wire: Wire, client: ZmqClient, total: int) -> None:
        self._server = wire.server
        self._client = client
        self._unsent = list(range(total, 0, -1))
        self._total = total
        self._done = asyncio.Event()
        self.answers: list[int] = []

    async def run(self) -> list[int]:
        loop = asyncio.get_running_loop()
        for fileno in self._server.filenos():
            loop.add_reader(fileno, self._serve)
        for fileno in self._client.filenos():
            loop.add_reader(fileno, self._collect)
        self._serve()
        self._produce()
        await asyncio.wait_for(self._done.wait(), 20)
        for fileno in (*self._server.filenos(), *self._client.filenos()):
            loop.remove_reader(fileno)
        return self.answers

    def _serve(self) -> None:
        while self._server.pending():
            for one in self._server.receive(16):
                assert self._server.send(one.peer, one.frames)

    def _produce(self) -> None:
        for _ in range(50):
            if self._unsent and self._client.send([b"%d" % self._unsent[-1]]):
                self._unsent.pop()
        self._collect()

    def _collect(self) -> None:
        while self._client.pending():
            self.answers += [int(frames[0]) for frames in self._client.receive(16)]
            self._client.problems()
        if len(self.answers) == self._total:
            self._done.set()
        elif self._unsent:
            asyncio.get_running_loop().call_soon(self._produce)


def test_an_event_loop_misses_nothing(wire: Wire) -> None:
    client = wire.connect()
    # Fewer than a queue holds: a server that answers without pause must not fill it.
    total = STANDARD.queue - 1
    assert asyncio.run(Echo(wire, client, total).run()) == list(range(1, total + 1))


def test_what_is_abandoned_is_closed_by_garbage_collection(wire: Wire) -> None:
    client, peer = wire.introduced()
    wire.clients.clear()
    client.cycle = client
    del client
    gc.collect()
    until(lambda: not wire.server.send(peer, [b"anybody?"]), wire.server)
    server, wire.server = wire.server, wire.open_server() if wire.kind == "tcp" else Idle()
    server.cycle = server
    del server
    gc.collect()


class Idle:
    """Stands for a server that needs no closing."""

    def close(self, linger: float) -> None: ...


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="counts /proc/self/fd")
def test_nothing_is_left_behind() -> None:
    def cycle() -> None:
        for kind in ("ipc", "tcp"):
            wire = Wire(kind)
            wire.introduced()
            wire.close()

    cycle()
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for _ in range(3):
        cycle()
    assert len(os.listdir("/proc/self/fd")) == descriptors
    assert threading.active_count() == threads


def test_a_client_goes_where_the_server_is_when_it_comes_back_elsewhere() -> None:
    with TemporaryDirectory(prefix="wire-") as directory:  # short, as paths of sockets must be
        before, after = Path(directory) / "before", Path(directory) / "after"
        known = [f"ipc://{before}"]
        server = ZmqServer(ipc=before)
        client = ZmqClient(known[0], whereabouts=lambda: known[-1])
        client.send([b"hello"])
        until(lambda: bool(server.receive(1)), server)
        server.close(0)
        known.append("")
        assert trouble(client, "refused")
        server = ZmqServer(ipc=after)
        known.append(f"ipc://{after}")
        told: list[str] = []

        def moved() -> bool:
            told.extend(problem.text for problem in client.problems())
            return f"it is at {known[-1]} now; dialling there" in told

        until(moved, client)
        client.send([b"again"])
        until(lambda: [one.frames for one in server.receive(1)] == [[b"again"]], server)
        client.close(0)
        server.close(0)
