"""What stands between a node and its parts does what they do, and measures it."""

from __future__ import annotations

from typing import Any

from concurrent_framework.model.resources import Resources
from concurrent_framework.protocol.application import Answer, Query
from concurrent_framework.protocol.codec import Codec
from concurrent_framework.scheduling.base import Placement, Request
from concurrent_framework.stats import NOTHING, Registry
from concurrent_framework.stats.codec import MeasuredCodec
from concurrent_framework.stats.scheduler import MeasuredScheduler
from concurrent_framework.stats.store import MeasuredStore


class Kept:
    """A store in a list."""

    def __init__(self) -> None:
        self.entries_: list[bytes] = []

    def append(self, data: bytes) -> None:
        self.entries_.append(data)

    def replace(self, through: int, data: bytes) -> None:
        self.entries_[:through] = []
        self.entries_.append(data)

    def entries(self) -> list[bytes]:
        return self.entries_


class First:
    """A scheduler that gives everything to worker 1."""

    pattern = "pull"

    def room(self, *given: Any) -> int:
        return len(given)

    def place(self, request: Request, workers: Any) -> list[Placement]:
        return [Placement(1, request.tasks)]


def test_a_codec() -> None:
    registry = Registry()
    codec = MeasuredCodec(Codec(Query | Answer), registry)
    number, messages = codec.decode(codec.encode([Query(1, "status")], 7))
    assert (number, messages) == (7, [Query(1, "status")])
    told = registry.snapshot()
    assert told["codec.encode_seconds"]["count"] == told["codec.decode_seconds"]["count"] == 1
    assert told["transport.sent_bytes"]["total"] == told["transport.received_bytes"]["total"] > 5


def test_a_codec_that_is_not_measured_is_the_codec_itself() -> None:
    plain: Codec[Any] = Codec(Query | Answer)
    codec = MeasuredCodec(plain, NOTHING)
    assert codec.encode == plain.encode
    assert codec.decode == plain.decode


def test_a_scheduler() -> None:
    registry = Registry()
    scheduler = MeasuredScheduler(First(), registry)
    assert scheduler.place(Request(5, Resources(), None), []) == [Placement(1, 5)]
    assert (scheduler.pattern, scheduler.room(1, 2)) == ("pull", 2)
    assert registry.snapshot()["scheduler.tasks"]["count"] == 5
    assert registry.snapshot()["scheduler.place_seconds"]["count"] == 1


def test_a_store() -> None:
    registry = Registry()
    store = MeasuredStore(Kept(), registry)
    store.append(b"abc")
    store.replace(1, b"defgh")
    assert store.entries() == [b"defgh"]
    assert registry.snapshot()["store.append_bytes"]["total"] == 8
    assert registry.snapshot()["store.append_seconds"]["count"] == 2
