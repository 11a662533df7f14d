"""The small protocol that every system under test is driven by."""

from __future__ import annotations

from abc import ABC, abstractmethod
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Sequence

    Function = Callable[[Any], Any]

T = TypeVar("T")

EXECUTORS = 2
"""Tasks at a time, in every system."""


class NotOffered(Exception):  # noqa: N818 (no error: the system has other interfaces)
    """The system has no such interface."""


class Peer(ABC):
    """One system under test. Its methods return seconds, from the first call to the last result.

    They are coroutines since Concurrent never waits; those of a peer that does simply block.

    Args:
        settings: ``section.key=value`` each, for Concurrent.

    Attributes:
        lasting: whether it is to be as it is for long work, where its start does not count.

    """

    def __init__(self, settings: Sequence[str] = ()) -> None:
        self.settings = settings
        self.lasting = True

    @abstractmethod
    def run(self, work: Callable[[Peer], Coroutine[Any, Any, T]]) -> T:
        """Start the system, do the work, and stop it."""

    @abstractmethod
    async def singles(self, function: Function, arguments: Sequence[Any]) -> float:
        """Submit calls one by one and wait for all results."""

    @abstractmethod
    async def map(self, function: Function, arguments: Sequence[Any]) -> float:
        """Use the interface for many calls of one function."""

    async def calls(self, function: Function, arguments: Sequence[Any]) -> float:
        """Submit calls one by one if the system can, and otherwise all at once."""
        try:
            return await self.singles(function, arguments)
        except NotOffered:
            return await self.map(function, arguments)

    @abstractmethod
    async def one(self, function: Function, argument: object) -> float:
        """Submit one call and wait for its result."""

    @abstractmethod
    async def shared(self, function: Function, data: object, count: int) -> float:
        """Call a function `count` times with the same large argument."""


class BlockingPeer(Peer):
    """A system whose caller waits for results. Each method returns them; the rest is here."""

    def run(self, work: Callable[[Peer], Coroutine[Any, Any, T]]) -> T:
        """Start the system, do the work, and stop it."""
        self.start()
        try:
            return finished(work(self))
        finally:
            self.stop()

    async def singles(self, function: Function, arguments: Sequence[Any]) -> float:
        """Submit calls one by one and wait for all results."""
        return _timed(self.submit_each, function, arguments, expected=len(arguments))

    async def map(self, function: Function, arguments: Sequence[Any]) -> float:
        """Use the interface for many calls of one function."""
        return _timed(self.map_all, function, arguments, expected=len(arguments))

    async def one(self, function: Function, argument: object) -> float:
        """Submit one call and wait for its result."""
        return _timed(self.submit_each, function, [argument], expected=1)

    async def shared(self, function: Function, data: object, count: int) -> float:
        """Call a function `count` times with the same large argument."""
        return _timed(self.share, function, data, count, expected=count)

    @abstractmethod
    def start(self) -> None:
        """Start the system with `EXECUTORS` executors."""

    @abstractmethod
    def stop(self) -> None:
        """Stop it."""

    @abstractmethod
    def submit_each(self, function: Function, arguments: Sequence[Any]) -> Sequence[Any]:
        """Submit calls one by one; return the results."""

    @abstractmethod
    def map_all(self, function: Function, arguments: Sequence[Any]) -> Sequence[Any]:
        """Call a function for many arguments; return the results."""

    def share(self, function: Function, data: object, count: int) -> Sequence[Any]:
        """Call a function with the same argument; here, for systems without a way to share it."""
        return self.submit_each(function, [data] * count)


def chunk_size(count: int) -> int:
    """Return a chunk as `multiprocessing.Pool.map` chooses it, for maps that leave it to callers."""
    return max(1, -(-count // (4 * EXECUTORS)))


def finished(work: Awaitable[T]) -> T:
    """Run a coroutine that never really waits, without an event loop."""
    steps = work.__await__()
    try:
        next(steps)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    message = "a blocking peer has waited for an event loop"
    raise RuntimeError(message)


def _timed(call: Callable[..., Sequence[Any]], *arguments: object, expected: int) -> float:
    began = perf_counter()
    results = call(*arguments)
    seconds = perf_counter() - began
    if len(results) != expected:
        message = f"{expected} results were expected, {len(results)} came"
        raise RuntimeError(message)
    return seconds
