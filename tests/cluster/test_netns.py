"""Hosts on a network whose cables are pulled: what the transport makes of it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import zmq

from concurrent_framework.transport.curve import new_keys
from concurrent_framework.transport.framing import Tuning
from concurrent_framework.transport.zmq import ZmqClient, ZmqServer
from tests.cluster.netns import Host, network
from tests.transport.wires import trouble, until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from concurrent_framework.transport.base import Received

KEYS = new_keys()
HASTY = Tuning(silence=1)


class Pair:
    """A server on one host and a client on another."""

    def __init__(self, server_host: Host, client_host: Host, tuning: Tuning) -> None:
        with server_host.inside():
            self.server = ZmqServer(tcp="tcp://0.0.0.0:8081", keys=KEYS, tuning=tuning)
        with client_host.inside():
            endpoint = f"tcp://{server_host.address}:8081"
            self.client = ZmqClient(endpoint, KEYS.public, tuning)

    def arrives(self, text: bytes) -> object:
        """Wait until this text has come to the server; return its peer."""
        found: list[object] = []

        def look() -> bool:
            self.client.problems()
            found.extend(one.peer for one in self.server.receive(100) if one.frames == [text])
            return bool(found)

        until(look, self.server, self.client)
        return found[0]

    def answered(self, peer: object, text: bytes) -> None:
        """Send a text to the client and wait until it is there."""
        assert self.server.send(peer, [text])
        until(lambda: [text] in self.client.receive(100), self.client, self.server)

    def silent(self, milliseconds: int) -> bool:
        """Whether nothing comes to the server for a while."""
        poller = zmq.Poller()
        poller.register(self.server.pollables()[0], zmq.POLLIN)
        return not poller.poll(milliseconds)

    def close(self) -> None:
        self.client.close(0)
        self.server.close(0)


@pytest.fixture
def hosts() -> Iterator[list[Host]]:
    with network("master", "worker", "laptop") as three:
        yield three


def test_hosts_are_apart_and_reach_each_other(hosts: list[Host]) -> None:
    master, worker, laptop = hosts
    assert len({host.address for host in hosts}) == 3
    serve = (
        "import socket; s = socket.create_server(('', 4711)); print('up', flush=True)\n"
        "for _ in range(2): c, a = s.accept(); c.sendall(a[0].encode()); c.close()"
    )
    listener = master.popen([sys.executable, "-c", serve], stdout=subprocess.PIPE, text=True)
    assert listener.stdout is not None
    assert listener.stdout.readline() == "up\n"
    call = (
        "import socket, sys; print(socket.create_connection((sys.argv[1], 4711)).recv(99).decode())"
    )
    for host in (worker, laptop):
        answer = host.run([sys.executable, "-c", call, master.address])
        assert answer.stdout.strip() == host.address
    away = worker.run([sys.executable, "-c", call, laptop.address])
    assert "Connection refused" in away.stderr


def test_a_short_cut_costs_nothing(hosts: list[Host]) -> None:
    master, worker, _ = hosts
    pair = Pair(master, worker, Tuning())
    assert pair.client.send([b"hello"])
    before = pair.arrives(b"hello")
    worker.cut()
    assert pair.client.send([b"during the cut"])
    assert pair.silent(300)
    worker.restore()
    assert pair.arrives(b"during the cut") == before
    pair.answered(before, b"welcome")
    assert pair.client.problems() == []
    pair.close()


def test_after_a_long_cut_the_connection_is_made_anew(hosts: list[Host]) -> None:
    master, worker, _ = hosts
    pair = Pair(master, worker, HASTY)
    assert pair.client.send([b"hello"])
    before = pair.arrives(b"hello")
    worker.cut()
    assert pair.client.send([b"into the void"])
    assert "broke; dialling again" in trouble(pair.client, "lost").text
    worker.restore()
    assert pair.client.send([b"hello again"])
    after = pair.arrives(b"hello again")
    assert after != before
    pair.answered(after, b"welcome back")
    pair.close()


def test_a_cut_is_noticed_though_nobody_speaks(hosts: list[Host]) -> None:
    master, worker, _ = hosts
    pair = Pair(master, worker, HASTY)
    assert pair.client.send([b"hello"])
    peer = pair.arrives(b"hello")
    worker.cut()
    assert trouble(pair.client, "lost")
    until(lambda: not pair.server.send(peer, [b"anybody?"]), pair.server)
    pair.close()


def test_a_large_frame_on_a_slow_line_is_no_cut(hosts: list[Host]) -> None:
    """It takes several times as long as the silence after which a peer is given up."""
    master, worker, _ = hosts
    pair = Pair(master, worker, HASTY)
    assert pair.client.send([b"hello"])
    peer = pair.arrives(b"hello")
    worker.throttle(megabits=40)
    assert pair.client.send([bytes(15_000_000)])
    received: list[Received] = []

    def look() -> bool:
        received.extend(pair.server.receive(1))
        return bool(received)

    until(look, pair.server)
    assert received[0].peer == peer
    assert len(received[0].frames[0]) == 15_000_000
    assert pair.client.problems() == []
    pair.close()


def test_a_master_out_of_reach(hosts: list[Host]) -> None:
    master, worker, _ = hosts
    worker.cut()
    pair = Pair(master, worker, HASTY)
    assert trouble(pair.client, "refused").text == f"nobody answers at tcp://{master.address}:8081"
    assert pair.client.send([b"early"])
    worker.restore()
    assert pair.arrives(b"early")
    pair.close()


def test_no_route_to_the_master(hosts: list[Host]) -> None:
    _, worker, _ = hosts
    with worker.inside():
        client = ZmqClient("tcp://192.0.2.1:8081", KEYS.public)
    assert trouble(client, "refused").text == "nobody answers at tcp://192.0.2.1:8081"
    client.close(0)


def test_other_hosts_do_not_notice(hosts: list[Host]) -> None:
    master, worker, laptop = hosts
    pair = Pair(master, laptop, HASTY)
    worker.cut()
    assert pair.client.send([b"hello"])
    pair.answered(pair.arrives(b"hello"), b"welcome")
    pair.close()


def test_nothing_is_left_of_a_network() -> None:
    with network("one", "two") as (one, two):
        sleeper = one.popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
        assert Path(f"/run/netns/{two.namespace}").exists()
    assert sleeper.returncode is not None
    assert not [path for path in Path("/run/netns").iterdir() if one.namespace in path.name]
