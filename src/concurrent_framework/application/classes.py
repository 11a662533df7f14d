"""Classes that came from elsewhere: of tasks pushed by another process, or by other tasks."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import TYPE_CHECKING, Any

from concurrent_framework.code.cache import CodeCache
from concurrent_framework.code.loader import CodeError
from concurrent_framework.code.received import ReceivedCode
from concurrent_framework.tasks.payload import load_task
from concurrent_framework.tasks.task import Task

if TYPE_CHECKING:
    from concurrent_framework.model.spec import CodeBlob, CodeReference, TaskSpec
    from concurrent_framework.protocol.application import PushSystem
    from concurrent_framework.protocol.tasks import NewTask, SpecEntry


class ForeignClasses:
    """Loads classes by specs and code that the master has sent.

    Args:
        directory: where code is unpacked, for this object alone; a temporary one if None. It is
            removed by `close`, or with this object.
        own_first: whether modules of this process go before those that were sent; True in
            applications, see `load_class`.

    """

    def __init__(self, directory: Path | None = None, *, own_first: bool = False) -> None:
        self.code = ReceivedCode(own_first=own_first)
        """Says of classes that came here how they are found elsewhere."""
        self._directory = directory
        self._cache: CodeCache | None = None
        self._remove: weakref.finalize[..., Any] | None = None
        self._specs: dict[int, TaskSpec] = {}

    def learn(
        self,
        specs: tuple[SpecEntry, ...],
        codes: tuple[CodeBlob, ...],
        *references: CodeReference,
    ) -> None:
        """Take in specs, code, and further references to it."""
        paths = {blob.digest: self._unpacked().add(blob) for blob in codes}
        self.code.learn([*references, *(entry.spec.code for entry in specs)], paths)
        self._specs.update((entry.number, entry.spec) for entry in specs)

    @property
    def numbers(self) -> list[int]:
        """Numbers of the specs that have come from elsewhere."""
        return list(self._specs)

    def load(self, reference: CodeReference) -> Any:
        """Return the class a reference stands for; raises `CodeError` or what its module raises."""
        return self.code.load(reference)

    def task_class(self, number: int) -> type:
        """Return the class of the tasks of a spec."""
        spec = self._specs.get(number)
        if spec is None:
            message = f"the class of the tasks with spec {number} is not known here"
            raise CodeError(message)
        cls: type = self.load(spec.code)
        return cls

    def rebuild(self, row: NewTask, known: dict[int, type]) -> Task:
        """Rebuild a task that was pushed elsewhere; without its class it is a bare `Task`."""
        try:
            task: Task = load_task(known.get(row.spec) or self.task_class(row.spec), row.payload)  # type: ignore[arg-type]
        except Exception:  # noqa: BLE001 (the user's class may raise; the outcome counts more)
            return Task(row.name)
        return task

    def rebuild_system(self, push: PushSystem) -> Any:
        """Rebuild a task system that was pushed elsewhere; None if that is not possible here."""
        try:
            return load_task(self.load(push.code), push.payload)  # type: ignore[arg-type]
        except Exception:  # noqa: BLE001 (the user's class may raise; the outcome counts more)
            return None

    def close(self) -> None:
        """Remove what was unpacked."""
        if self._remove is not None:
            self._remove()

    def _unpacked(self) -> CodeCache:
        if self._cache is None:
            if self._directory is None:
                self._directory = Path(tempfile.mkdtemp(prefix="concurrent-"))
            self._cache = CodeCache(self._directory)
            self._remove = weakref.finalize(
                self, shutil.rmtree, self._directory, ignore_errors=True
            )
            self._remove.atexit = False  # a task's child process that exits must leave it alone
        return self._cache
