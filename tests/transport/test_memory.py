"""What the twin in memory can do beyond the contract."""

from __future__ import annotations

from concurrent_framework.transport.memory import MemoryServer


def test_a_broken_connection_loses_what_was_under_way() -> None:
    server = MemoryServer()
    client = server.connect()
    client.send([b"one"])
    [(before, _, _)] = server.receive(1)
    client.send([b"lost"])
    server.send(before, [b"lost too"])
    client.break_off()
    assert server.receive(10) == []
    assert client.receive(10) == []
    assert [problem.kind for problem in client.problems()] == ["lost"]
    assert not server.send(before, [b"anybody?"])
    client.send([b"two"])
    [(after, _, frames)] = server.receive(10)
    assert after != before
    assert frames == [b"two"]


def test_remote_peers() -> None:
    server = MemoryServer()
    server.connect(local=False).send([b"far"])
    assert server.receive(1)[0].local is False


def test_the_queue_counts_what_was_not_received() -> None:
    server = MemoryServer(queue=2)
    client = server.connect()
    assert [client.send([b"x"]) for _ in range(3)] == [True, True, False]
    server.receive(1)
    assert client.send([b"x"])


def test_closed_without_patience_nothing_arrives() -> None:
    server = MemoryServer()
    client = server.connect()
    client.send([b"x"])
    client.close(0)
    assert server.receive(1) == []
    assert not client.send([b"y"])
