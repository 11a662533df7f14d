"""Shared objects: large values that travel to each worker once, and references to them.

A reference pickles to a call that gives the object where tasks run, and a reference elsewhere. What
that call is made with stands in the pickle as plain text, so that whoever sends a payload finds the
digests in it without unpickling anything.
"""

from __future__ import annotations

import pickle
import struct
from contextlib import contextmanager
from contextvars import ContextVar
from time import perf_counter
from typing import TYPE_CHECKING, Any, Protocol

from concurrent_framework.model.errors import ConcurrentError, UsageError
from concurrent_framework.protocol.tasks import MAX_PAYLOAD_BYTES
from concurrent_framework.tasks.payload import dump_shared, is_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

PROTOCOL = 5
SEPARATE_BYTES = 4096
"""Buffers of this size and more are not copied into the pickle: tasks use them where they lie."""
_ALIGNMENT = 64
_MARK = "concurrent-shared:"
"""What `model.spec.digests_in` looks for."""
_MAIN = b"__main__"


class Shared:
    """A reference to an object that was shared; `ApplicationNode.share` makes it.

    A reference that is part of what a task holds, however deep, is the object itself by the time
    the task runs. Tasks must not change it: others on the same machine use the same one.

    Attributes:
        digest: SHA-256 of the object's pickled form; equal objects have equal references.
        size: of that form, in bytes.

    """

    __slots__ = ("__weakref__", "_release", "digest", "size")

    def __init__(self, digest: str, size: int) -> None:
        self.digest = digest
        self.size = size
        self._release: Callable[[], object] | None = None

    def release(self) -> None:
        """Say that no further task will use the object; it is dropped after those that do.

        Happens by itself when nothing refers to the reference any more, and when the application
        ends. Where the object was not shared from, it does nothing.
        """
        if self._release is not None:
            self._release()

    def owned_by(self, release: Callable[[], object]) -> Shared:
        """Set what `release` calls; the framework does this."""
        self._release = release
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        return resolve, (_MARK + self.digest, self.size)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Shared) and other.digest == self.digest

    def __hash__(self) -> int:
        return hash(self.digest)

    def __repr__(self) -> str:
        return f"<Shared {self.digest[:12]}, {self.size} bytes>"


class ObjectStore(Protocol):
    """What resolves references where tasks run."""

    def object(self, digest: str) -> Any:
        """Return the object of a digest."""


_store: ContextVar[ObjectStore | None] = ContextVar("concurrent_framework.shared", default=None)


def resolve(mark: str, size: int) -> Any:
    """Return the object a reference stands for, or, where no tasks run, the reference."""
    digest = mark.removeprefix(_MARK)
    store = _store.get()
    return Shared(digest, size) if store is None else store.object(digest)


@contextmanager
def resolving(store: ObjectStore) -> Iterator[None]:
    """Have references resolved within this context; the executor's business."""
    token = _store.set(store)
    try:
        yield
    finally:
        _store.reset(token)


class _Written:
    """Takes what a pickler writes in pieces: it hands over large bytes as they are, not a copy."""

    def __init__(self) -> None:
        self.pieces: list[Any] = []
        self.write = self.pieces.append


def pack(value: Any) -> bytes:
    """Pickle an object, its large buffers (of NumPy arrays, for instance) beside the pickle.

    Raises:
        NotSerializable: naming the part that cannot be pickled.
        UsageError: if it is larger than 1 GiB.

    """
    buffers: list[memoryview] = []

    def separate(buffer: pickle.PickleBuffer) -> bool:
        raw = buffer.raw()
        if raw.nbytes < SEPARATE_BYTES:
            return True
        buffers.append(raw)
        return False

    written = _Written()
    try:
        pickle.Pickler(written, PROTOCOL, buffer_callback=separate).dump(value)
        by_name = is_plain(value) or not any(_MAIN in piece for piece in written.pieces)
    except Exception:  # noqa: BLE001 (user code runs here; the next attempt is thorough)
        by_name = False
    if not by_name:
        buffers.clear()
        written.pieces[:] = [dump_shared(value)]
    parts = [written.pieces, *([buffer] for buffer in buffers)]
    lengths = [sum(map(len, pieces)) for pieces in parts]
    head = struct.pack(f"<I{len(lengths)}Q", len(lengths), *lengths)
    total = sum(lengths) + (len(lengths) + 1) * (_ALIGNMENT + 8)
    if total > MAX_PAYLOAD_BYTES:
        message = (
            f"an object of {total / 2**20:.0f} MiB cannot be shared, "
            f"{MAX_PAYLOAD_BYTES >> 20} MiB at most: share its parts, or let tasks read it from a file"
        )
        raise UsageError(message)
    whole: list[Any] = [head]
    before = len(head)
    for pieces, length in zip(parts, lengths, strict=True):
        whole += (bytes(-before % _ALIGNMENT), *pieces)
        before = length
    return b"".join(whole)


def unpack(data: memoryview) -> Any:
    """Rebuild what `pack` has made; buffers stay where they are, and can be written if `data` can."""
    (count,) = struct.unpack_from("<I", data)
    lengths = struct.unpack_from(f"<{count}Q", data, 4)
    at, parts = 4 + 8 * count, []
    for length in lengths:
        at += -at % _ALIGNMENT
        parts.append(data[at : at + length])
        at += length
    return pickle.loads(parts[0], buffers=parts[1:])


class SharedObjects:
    """The shared objects of one executor: each is read when it is first needed, and kept.

    Args:
        limit: bytes beyond which those not used for longest are forgotten.

    Attributes:
        preparing: seconds spent on reading objects since `prepared` was called.

    """

    def __init__(self, limit: int = 1 << 28) -> None:
        self._limit = limit
        self._paths: dict[str, str] = {}
        self._objects: dict[str, tuple[Any, int]] = {}
        self.preparing = 0.0

    def learn(self, paths: dict[str, str]) -> None:
        """Note where the data of digests lies on this machine."""
        self._paths.update(paths)

    def object(self, digest: str) -> Any:
        """Return an object; raises ConcurrentError if its data is not here."""
        known = self._objects.pop(digest, None)
        if known is None:
            start = perf_counter()
            try:
                known = self._read(digest)
            finally:
                self.preparing += perf_counter() - start
        self._objects[digest] = known
        self._trim()
        return known[0]

    def prepared(self) -> float:
        """Return `preparing`, and count from 0 again."""
        seconds, self.preparing = self.preparing, 0.0
        return seconds

    def _read(self, digest: str) -> tuple[Any, int]:
        import mmap

        try:
            with open(self._paths[digest], "rb") as file:
                data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except (KeyError, OSError, ValueError) as error:
            message = f"the shared object {digest[:12]} is not on this worker: {error}"
            raise ConcurrentError(message) from error
        return unpack(memoryview(data)), len(data)

    def _trim(self) -> None:
        total = sum(size for _, size in self._objects.values())
        while total > self._limit and len(self._objects) > 1:
            total -= self._objects.pop(next(iter(self._objects)))[1]
