"""What every transport promises, whatever is below it."""

from __future__ import annotations

import gc
import pickle
from typing import TYPE_CHECKING, Any

import pytest
import zmq

from concurrent_framework.protocol.application import FromApplication, Submit
from concurrent_framework.protocol.codec import Codec
from concurrent_framework.protocol.detaching import INLINE_LIMIT
from concurrent_framework.protocol.tasks import NewTask
from concurrent_framework.transport.framing import COPY_LIMIT, Tuning
from tests.transport.wires import Wire, trouble, until

if TYPE_CHECKING:
    from collections.abc import Iterator

LARGE = bytes(range(256)) * 1024
KINDS = ["ipc", "tcp", "memory"]


@pytest.fixture(params=KINDS)
def wire(request: pytest.FixtureRequest) -> Iterator[Wire]:
    wire = Wire(request.param)
    yield wire
    wire.close()


@pytest.fixture(params=KINDS)
def narrow(request: pytest.FixtureRequest) -> Iterator[Wire]:
    """A wire whose queues are short."""
    wire = Wire(request.param, Tuning(queue=4))
    yield wire
    wire.close()


def test_frames_go_both_ways(wire: Wire) -> None:
    client = wire.connect()
    assert client.send([b"one", b"", b"three"])
    [(peer, local, frames)] = wire.at_server()
    assert (local, frames) == (wire.local, [b"one", b"", b"three"])
    assert wire.server.send(peer, [b"welcome"])
    assert wire.at_client(client) == [[b"welcome"]]


def test_envelopes_keep_their_order(wire: Wire) -> None:
    client, peer = wire.introduced()
    for number in range(500):
        assert client.send([b"%d" % number])
    assert [one.frames for one in wire.at_server(500)] == [[b"%d" % n] for n in range(500)]
    for number in range(500):
        assert wire.server.send(peer, [b"%d" % number])
    assert wire.at_client(client, 500) == [[b"%d" % n] for n in range(500)]


def test_each_connection_has_a_handle_of_its_own(wire: Wire) -> None:
    first, its = wire.introduced()
    second, other = wire.introduced()
    assert its != other
    assert hash(its) != hash(other)
    wire.server.send(other, [b"for the second"])
    wire.server.send(its, [b"for the first"])
    assert wire.at_client(first) == [[b"for the first"]]
    assert wire.at_client(second) == [[b"for the second"]]


def test_small_frames_are_bytes_and_large_ones_share_memory(wire: Wire) -> None:
    client, _ = wire.introduced()
    sizes = [0, 1, COPY_LIMIT, COPY_LIMIT + 1, len(LARGE)]
    client.send([LARGE[:size] for size in sizes])
    [(_, _, frames)] = wire.at_server()
    assert [type(frame) for frame in frames] == [bytes, bytes, bytes, memoryview, memoryview]
    assert [bytes(frame) for frame in frames] == [LARGE[:size] for size in sizes]


def test_a_large_frame_outlives_its_envelope(wire: Wire) -> None:
    client, peer = wire.introduced()
    client.send([b"", LARGE])
    kept = wire.at_server()[0].frames[1]
    for _ in range(20):
        client.send([b"", bytes(len(LARGE))])
    wire.at_server(20)
    gc.collect()
    assert kept == LARGE
    wire.server.send(peer, [b"", LARGE])
    kept = wire.at_client(client)[0][1]
    gc.collect()
    assert kept == LARGE


def test_a_large_frame_can_be_unpickled(wire: Wire) -> None:
    client, _ = wire.introduced()
    value = {"data": LARGE, "more": list(range(1000))}
    client.send([b"", pickle.dumps(value)])
    assert pickle.loads(wire.at_server()[0].frames[1]) == value


def test_a_large_frame_can_be_sent_on_more_than_once(wire: Wire) -> None:
    client, peer = wire.introduced()
    client.send([b"", LARGE])
    received = wire.at_server()[0].frames[1]
    for _ in range(3):
        assert wire.server.send(peer, [b"", received])
    assert wire.server.send(peer, [b"", received[COPY_LIMIT:]])
    del received
    gc.collect()
    answers = wire.at_client(client, 4)
    assert [frames[1] == LARGE for frames in answers[:3]] == [True] * 3
    assert answers[3][1] == LARGE[COPY_LIMIT:]


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_any_memory_can_be_sent(wire: Wire, kind: type) -> None:
    client, peer = wire.introduced()
    for data in (b"small", LARGE):
        assert client.send([kind(data)])
        assert bytes(wire.at_server()[0].frames[0]) == data
        assert wire.server.send(peer, [kind(data)])
        assert bytes(wire.at_client(client)[0][0]) == data


def test_envelopes_of_the_protocol_arrive_whole(wire: Wire) -> None:
    client, _ = wire.introduced()
    large = b"x" * (INLINE_LIMIT + 1)
    codec: Codec[Any] = Codec(FromApplication)
    submit = Submit(1, [NewTask(1, "small", b"s"), NewTask(1, "large", large)])
    client.send(codec.encode([submit], 7))
    number, [message] = codec.decode(wire.at_server()[0].frames)
    assert number == 7
    assert [bytes(row.payload) for row in message.tasks] == [b"s", large]


def test_no_more_is_received_than_asked_for(wire: Wire) -> None:
    client, peer = wire.introduced()
    for number in range(10):
        client.send([b"%d" % number])
        wire.server.send(peer, [b"%d" % number])
    until(wire.server.pending, wire.server)
    assert 1 <= len(wire.server.receive(3)) <= 3
    until(client.pending, client)
    assert 1 <= len(client.receive(3)) <= 3


def test_what_is_pending_is_told(wire: Wire) -> None:
    client, peer = wire.introduced()
    assert wire.server.receive(10) == []
    assert client.receive(10) == []
    client.send([b"more"])
    until(wire.server.pending, wire.server)
    assert wire.at_server()[0].frames == [b"more"]
    wire.server.send(peer, [b"more"])
    until(client.pending, client)
    assert wire.at_client(client) == [[b"more"]]


def test_a_poller_wakes_as_long_as_something_waits(wire: Wire) -> None:
    client, _ = wire.introduced()
    poller = zmq.Poller()
    for pollable in wire.server.pollables():
        poller.register(pollable, zmq.POLLIN)
    for _ in range(3):
        client.send([b"x"])
    got = 0
    while got < 3:
        assert poller.poll(20_000)
        got += len(wire.server.receive(1))


def test_a_gone_peer_is_told(wire: Wire) -> None:
    client, peer = wire.introduced()
    client.close(0)
    until(lambda: not wire.server.send(peer, [b"anybody?"]), wire.server)


def test_a_peer_that_never_was_is_told(wire: Wire) -> None:
    _, peer = wire.introduced()
    assert not wire.server.send(peer[:1] + peer[:0:-1], [b"anybody?"])


def test_a_server_with_a_peer_that_does_not_read_neither_waits_nor_grows(narrow: Wire) -> None:
    client, peer = narrow.introduced()
    payload = bytes(1 << 20)
    accepted = 0
    for _ in range(200):
        accepted += narrow.server.send(peer, [b"%d" % accepted, payload])
    # What is on its way inside the kernel comes on top of both queues.
    assert 1 <= accepted < 50
    got = narrow.at_client(client, accepted)
    assert [frames[0] for frames in got] == [b"%d" % n for n in range(accepted)]
    until(lambda: bool(narrow.server.send(peer, [b"again"])), client)
    assert narrow.at_client(client) == [[b"again"]]


def test_a_client_of_a_server_that_does_not_read_neither_waits_nor_grows(narrow: Wire) -> None:
    client, _ = narrow.introduced()
    payload = bytes(1 << 20)
    accepted = 0
    for _ in range(200):
        accepted += client.send([b"%d" % accepted, payload])
    assert 1 <= accepted < 50
    got = narrow.at_server(accepted)
    assert [one.frames[0] for one in got] == [b"%d" % n for n in range(accepted)]


def test_a_flood_of_one_client_leaves_room_for_another(wire: Wire) -> None:
    noisy, _ = wire.introduced()
    quiet, its = wire.introduced()
    while noisy.send([b"noise"]):
        pass
    assert quiet.send([b"quiet"]) or wire.kind == "memory"
    until(lambda: any(one.peer == its for one in wire.server.receive(50)), wire.server)


def test_clients_learn_that_the_server_is_gone(wire: Wire) -> None:
    client, _ = wire.introduced()
    assert client.problems() == []
    wire.server.close(0)
    assert trouble(client, "lost").text


def test_closing_twice_does_nothing(wire: Wire) -> None:
    client, _ = wire.introduced()
    client.close(0)
    client.close(0)
    wire.server.close(0)
    wire.server.close(0)


def test_what_was_sent_before_closing_arrives(wire: Wire) -> None:
    client, peer = wire.introduced()
    client.send([b"goodbye", LARGE])
    client.close(5)
    assert wire.at_server()[0].frames[0] == b"goodbye"
    assert peer


def test_codec_and_transport_agree_on_what_is_large() -> None:
    assert INLINE_LIMIT == COPY_LIMIT
