"""What all tasks of one class share, sent once and named by a small int afterwards."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from concurrent_framework.model.resources import Resources

DATA: Final = "data"
"""The kind of a blob that is a shared object, see `tasks.shared.pack`."""
_MARK = b"concurrent-shared:"
_REFERENCE = re.compile(_MARK + rb"([0-9a-f]{64})")


def digests_in(payload: Any) -> tuple[str, ...]:
    """Return the digests of the references to shared objects in something pickled, in a fixed order."""
    if _MARK not in payload:
        return ()
    found = _REFERENCE.findall(payload)
    return tuple(sorted({digest.decode() for digest in found})) if found else ()


class CodeReference(Struct, frozen=True, array_like=True, gc=False):
    """How a class is found where it is needed.

    Args:
        module: module to import, empty when the class travels by value.
        qualname: the class's qualified name, for messages and for the import.
        bundle: digest of the bundle that holds the modules, empty if everything is installed.
        pickled: digest of the code blob that holds the class by value, empty if it is imported.
        data: digests of the shared objects that the class refers to.

    """

    module: str
    qualname: str
    bundle: str = ""
    pickled: str = ""
    data: tuple[str, ...] = ()

    def digests(self) -> tuple[str, ...]:
        """Return the digests of the code blobs that must be present to load the class."""
        return tuple(digest for digest in (self.bundle, self.pickled) if digest)


class CodeBlob(Struct, array_like=True, gc=False):
    """Code or shared data on its way, named by the hex SHA-256 of its data.

    Args:
        digest: SHA-256 of data, lower-case hex.
        kind: ``bundle`` (a zip of modules), ``pickle`` (a class or function by value) or ``data``
            (a shared object).
        data: the bytes; on the wire, if they are many, the index of the frame that holds them.

    """

    digest: str
    kind: str
    if TYPE_CHECKING:
        data: bytes
    else:
        data: bytes | int


class TaskSpec(Struct, frozen=True, array_like=True, gc=False):
    """How tasks of one class are to be treated.

    Args:
        code: where the class comes from.
        resources: what each task occupies.
        priority: higher goes first, over all applications.
        timeout: seconds one attempt may take, 0 for no limit.
        max_attempts: attempts after which a task that loses its executor is given up, >= 1.
        idempotent: False means at most one attempt.
        notifies: the class overrides ``finished``, which runs on the master's side.
        retry_on: names of the errors after which a task is attempted again.
        backoff: seconds before the second attempt, doubled before each further one, 0 for none.
        max_backoff: seconds between two attempts at most.
        deadline: seconds from submission until a task is ended wherever it is, 0 for none.
        shares: digests of the shared objects that each of the tasks refers to.
        kept_if_failed: whether a task that failed is kept for people, to be attempted again.

    """

    code: CodeReference
    resources: Resources = Resources()
    priority: int = 0
    timeout: float = 0.0
    max_attempts: int = 3
    idempotent: bool = True
    notifies: bool = False
    retry_on: tuple[str, ...] = ()
    backoff: float = 0.0
    max_backoff: float = 0.0
    deadline: float = 0.0
    shares: tuple[str, ...] = ()
    kept_if_failed: bool = True

    def data(self) -> tuple[str, ...]:
        """Return the digests of the shared objects that must be present to run such a task."""
        return (*self.code.data, *self.shares) if self.code.data else self.shares
