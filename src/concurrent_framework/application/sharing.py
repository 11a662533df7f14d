"""The objects that an application or a task system has shared, and what the master is told of them."""

from __future__ import annotations

import weakref
from collections import deque
from typing import TYPE_CHECKING, Any

from concurrent_framework.code.blobs import make_blob
from concurrent_framework.model.errors import UsageError
from concurrent_framework.model.spec import DATA, digests_in
from concurrent_framework.tasks.shared import Shared, pack

if TYPE_CHECKING:
    from collections.abc import Iterable

    from concurrent_framework.model.spec import CodeBlob


class _Entry:
    """A shared object: how many references there are to it, and its data until that has left."""

    __slots__ = ("blob", "references", "size")

    def __init__(self, blob: CodeBlob) -> None:
        self.blob: CodeBlob | None = blob
        self.size = len(blob.data)
        self.references = 0


class Sharing:
    """Knows which shared objects may be used, and sends the data of each with its first use."""

    def __init__(self) -> None:
        self.active = False
        """Whether payloads have to be searched for references at all."""
        self._entries: dict[str, _Entry] = {}
        self._released: set[str] = set()
        self._adopted: set[str] = set()
        # Collecting garbage may happen anywhere, so that it only leaves a note here.
        self._dropped: deque[str] = deque()
        self._gone: list[str] = []

    def share(self, value: Any) -> Shared:
        """Return a reference to an object; see `ApplicationNode.share` for what it raises."""
        if isinstance(value, Shared):
            message = f"{value!r} is a reference already: put it into tasks"
            raise UsageError(message)
        blob = make_blob(DATA, pack(value))
        self.active = True
        self._settle()
        if blob.digest not in self._entries:
            self._entries[blob.digest] = _Entry(blob)
            self._released.discard(blob.digest)
        return self._reference(blob.digest)

    def adopt(self, digests: Iterable[str]) -> None:
        """Take in references that were made elsewhere; what they refer to is not released from here."""
        self.active = True
        self._settle()
        self._adopted.update(one for one in digests if one not in self._entries)
        self._adopted -= self._released

    def references_in(self, payload: Any) -> list[Shared]:
        """Return references of one's own to what a payload refers to, which keep that alive."""
        return [self._reference(one) for one in digests_in(payload) if one in self._entries]

    def _reference(self, digest: str) -> Shared:
        entry = self._entries[digest]
        entry.references += 1
        reference = Shared(digest, entry.size)
        release = weakref.finalize(reference, self._dropped.append, digest)
        release.atexit = False
        return reference.owned_by(release)

    def used_by(self, payload: Any, what: object) -> tuple[str, ...]:
        """Return the digests of the references in a payload.

        Raises:
            UsageError: if one of them has been released, naming `what` refers to it.

        """
        self._settle()
        digests = digests_in(payload)
        for digest in digests:
            if digest in self._released:
                message = (
                    f"{what!r:.200} refers to the shared object {digest[:12]}, which has been "
                    "released: share it again"
                )
                raise UsageError(message)
        return digests

    def take(self, digests: Iterable[str]) -> list[CodeBlob]:
        """Return the data that the master has not been sent yet; it counts as sent from now on."""
        blobs = []
        for digest in digests:
            entry = self._entries.get(digest)
            if entry is not None and entry.blob is not None:
                blobs.append(entry.blob)
                entry.blob = None
        return blobs

    def released(self) -> list[str]:
        """Return what has been released since the last call and had been sent."""
        self._settle()
        gone, self._gone = self._gone, []
        return gone

    def _settle(self) -> None:
        while self._dropped:
            digest = self._dropped.popleft()
            entry = self._entries[digest]
            entry.references -= 1
            if not entry.references:
                del self._entries[digest]
                if digest in self._adopted:
                    continue
                self._released.add(digest)
                if entry.blob is None:
                    self._gone.append(digest)
