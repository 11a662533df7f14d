"""`SpecBook`: which spec each task falls under, and which specs the master has not been told."""

from __future__ import annotations

from math import inf, isfinite
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from msgspec.structs import replace

from concurrent_framework.code.blobs import PICKLE
from concurrent_framework.model.errors import ConcurrentError, UsageError
from concurrent_framework.model.ids import FIRST_SPAWNED_SPEC
from concurrent_framework.model.resources import Resources
from concurrent_framework.model.spec import CodeBlob, CodeReference, TaskSpec, digests_in
from concurrent_framework.protocol.application import Define
from concurrent_framework.protocol.tasks import SpecEntry
from concurrent_framework.tasks.checks import is_int, is_number, refuse
from concurrent_framework.tasks.payload import not_serializable
from concurrent_framework.tasks.retrying import (
    checked_backoff,
    checked_deadline,
    checked_retry_on,
)
from concurrent_framework.tasks.task import Task

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

SETTINGS = (
    "max_attempts",
    "timeout",
    "priority",
    "resources",
    "idempotent",
    "retry_on",
    "backoff",
    "deadline",
)
MAX_SPECS = 1 << 16
"""Specs of one application; each class has one, and one more for each way to override it."""
MAX_ATTEMPTS = 1000

_GENERATOR, _COROUTINE, _ASYNC_GENERATOR = 0x20, 0x80, 0x200
"""Flags of code objects, as `inspect` names them; that module is slow to import."""

_settings_of = attrgetter(*SETTINGS)


class CodeSource(Protocol):
    """Says where a class is found elsewhere, and which code must be there for that."""

    def reference(self, cls: type) -> tuple[CodeReference, list[CodeBlob]]:
        """Return how a class is found, and the code blobs this needs (also repeated ones)."""


class _Known(NamedTuple):
    settings: tuple[Any, ...]
    shares: tuple[str, ...]
    number: int


class SpecBook:
    """Numbers the specs of the tasks that one application (or executor) makes.

    Args:
        source: knows where classes come from; a `CodeShipper` in an application or host.
        step: 1 to count up from 0; -1 to count down from -1.

    Example:
        >>> from concurrent_framework.code.bundle import CodeShipper
        >>> class Nothing(Task):
        ...     def __call__(self):
        ...         return None
        >>> book = SpecBook(CodeShipper())
        >>> book.number_for(Nothing()) == book.number_for(Nothing())
        True
        >>> len(book.new_definitions().specs), book.new_definitions()
        (1, None)

    """

    def __init__(self, source: CodeSource, step: Literal[1, -1] = 1) -> None:
        self._source = source
        self._step = step
        self._next = 0 if step > 0 else -1
        self._latest: dict[type, _Known] = {}
        self._references: dict[type, CodeReference] = {}
        self._numbers: dict[TaskSpec, int] = {}
        self._codes: dict[str, CodeBlob] = {}
        self.news = False
        """Whether `new_definitions` has something to say."""
        self._new_specs: list[SpecEntry] = []
        self._new_codes: list[CodeBlob] = []

    def number_for(self, task: Task, shares: tuple[str, ...] = ()) -> int:
        """Return the number of the spec a task falls under; a new one is noted for `Define`.

        Args:
            task: the task.
            shares: digests of the shared objects that its state refers to.

        Raises:
            UsageError: if an attribute that a spec is made of cannot be what it is, naming the
                class and the attribute, or if the class is no task or its code is too large.
            NotSerializable: if the class travels by value and something that it uses cannot.

        """
        settings = _settings_of(task)
        known = self._latest.get(type(task))
        if known is not None and known.settings == settings and known.shares == shares:
            return known.number
        return self._define(type(task), settings, shares)

    def learn(self, specs: Iterable[SpecEntry]) -> None:
        """Take in specs that have numbers already."""
        for entry in specs:
            self._numbers[entry.spec] = entry.number
        self._latest.clear()

    def number_above(self, numbers: Iterable[int]) -> None:
        """Give only numbers above these, which another process of the application has given."""
        given = (number for number in numbers if number < FIRST_SPAWNED_SPEC)
        self._next = max(self._next, 1 + max(given, default=-1))

    def reference_for(self, cls: type) -> CodeReference:
        """Return where a class (of a task system, for instance) is found; its code is noted."""
        reference = self._references.get(cls)
        if reference is None:
            reference, blobs = self._found(cls)
            data = {one for blob in blobs if blob.kind == PICKLE for one in digests_in(blob.data)}
            if data:
                reference = replace(reference, data=tuple(sorted(data)))
            self._references[cls] = reference
            for blob in blobs:
                if blob.digest not in self._codes:
                    self._codes[blob.digest] = blob
                    self._new_codes.append(blob)
                    self.news = True
        return reference

    def classes_of(self, specs: Iterable[SpecEntry]) -> dict[int, type]:
        """Return, by the numbers of specs, those of their classes that are known here."""
        known = {reference: cls for cls, reference in self._references.items()}
        found = ((entry.number, known.get(entry.spec.code)) for entry in specs)
        return {number: cls for number, cls in found if cls is not None}

    def forget(self, digest: str) -> None:
        """Forget the specs of tasks that refer to a shared object: there will be no more of them."""
        gone = [spec for spec in self._numbers if digest in spec.shares]
        for spec in gone:
            del self._numbers[spec]
        self._latest = {cls: one for cls, one in self._latest.items() if digest not in one.shares}

    def new_definitions(
        self, data: Sequence[CodeBlob] = (), released: Sequence[str] = ()
    ) -> Define | None:
        """Return the specs and code that came up since the last call; None if there are none.

        Args:
            data: shared objects to send along.
            released: digests of shared objects to be dropped.

        """
        if not (self.news or data or released):
            return None
        self.news = False
        codes = (*self._new_codes, *data)
        define = Define(tuple(self._new_specs), codes, tuple(released))
        self._new_specs.clear()
        self._new_codes.clear()
        return define

    def all_definitions(self) -> Define:
        """Return every spec and all code, for a master that may know none of them."""
        self.news = False
        self._new_specs.clear()
        self._new_codes.clear()
        specs = tuple(SpecEntry(number, spec) for spec, number in self._numbers.items())
        return Define(specs, tuple(self._codes.values()))

    def definitions_of(
        self, numbers: Collection[int]
    ) -> tuple[tuple[SpecEntry, ...], tuple[CodeBlob, ...]]:
        """Return the specs of these numbers, and the code that they need and that is known here."""
        specs = tuple(
            SpecEntry(number, spec) for spec, number in self._numbers.items() if number in numbers
        )
        digests = {digest for entry in specs for digest in entry.spec.code.digests()}
        return specs, tuple(self._codes[digest] for digest in sorted(digests & self._codes.keys()))

    def _define(self, cls: type[Task], settings: tuple[Any, ...], shares: tuple[str, ...]) -> int:
        spec = spec_of(cls, settings, self._reference_of_task(cls), shares)
        number = self._numbers.get(spec)
        if number is None:
            number = self._next
            if len(self._numbers) >= MAX_SPECS:
                message = (
                    f"{cls.__name__}: the tasks of one application may differ in at most "
                    f"{MAX_SPECS} ways in {', '.join(SETTINGS)}; round the values"
                )
                raise UsageError(message)
            self._next += self._step
            self._numbers[spec] = number
            self._new_specs.append(SpecEntry(number, spec))
            self.news = True
        self._latest[cls] = _Known(settings, shares, number)
        return number

    def _found(self, cls: type) -> tuple[CodeReference, list[CodeBlob]]:
        try:
            return self._source.reference(cls)
        except ConcurrentError:
            raise
        except Exception as error:
            from concurrent_framework.tasks.culprit import accuse  # seldom needed

            parts = {cls.__name__: cls}
            message = (
                f"{cls.__name__} cannot be sent to a worker: {accuse(parts, error)}; "
                "make that inside the method"
            )
            raise not_serializable(message) from error

    def _reference_of_task(self, cls: type[Task]) -> CodeReference:
        if cls not in self._references:
            check_class(cls)
        return self.reference_for(cls)


def check_class(cls: type) -> None:
    """Refuse what cannot be a task's class, with a `UsageError` that says why."""
    if not issubclass(cls, Task):
        message = f"{cls.__name__} is no task: derive it from Task"
        raise UsageError(message)
    if cls.__call__ is Task.__call__:
        message = f"{cls.__name__} does not say what to do: define __call__"
        raise UsageError(message)
    flags = getattr(getattr(cls.__call__, "__code__", None), "co_flags", 0)
    refuse_coroutine(f"{cls.__name__}.__call__", flags)


def refuse_coroutine(name: str, flags: int) -> None:
    """Refuse a function whose code flags say that calling it does not run it."""
    if flags & (_COROUTINE | _ASYNC_GENERATOR):
        message = f"{name} is async, but a worker only calls it: let it use asyncio.run"
        raise UsageError(message)
    if flags & _GENERATOR:
        message = f"{name} is a generator, which cannot travel: return a list instead of yielding"
        raise UsageError(message)


def spec_of(
    cls: type, settings: tuple[Any, ...], reference: CodeReference, shares: tuple[str, ...] = ()
) -> TaskSpec:
    """Build a spec from the values of `SETTINGS`; raises `UsageError` naming a wrong one."""
    max_attempts, timeout, priority, resources, idempotent, *retrying = settings
    retry_on, backoff, deadline = retrying
    if not is_int(max_attempts) or not 1 <= max_attempts <= MAX_ATTEMPTS:
        refuse(cls, "max_attempts", max_attempts, f"an int from 1 to {MAX_ATTEMPTS}")
    if timeout is not None and not (is_number(timeout) and timeout > 0):
        refuse(cls, "timeout", timeout, "a number of seconds > 0, or None for no limit")
    if not is_int(priority) or not -(2**31) <= priority < 2**31:
        refuse(cls, "priority", priority, "an int that fits in 32 bits; higher goes first")
    if not isinstance(idempotent, bool):
        refuse(cls, "idempotent", idempotent, "True or False")
    first_delay, longest_delay = checked_backoff(cls, backoff)
    return TaskSpec(
        code=reference,
        resources=_checked_resources(cls, resources),
        priority=int(priority),
        timeout=0.0 if timeout is None or timeout == inf else float(timeout),
        max_attempts=int(max_attempts),
        idempotent=idempotent,
        notifies=getattr(cls, "finished", None) is not Task.finished,
        retry_on=checked_retry_on(cls, retry_on, idempotent=idempotent),
        backoff=first_delay,
        max_backoff=longest_delay,
        deadline=checked_deadline(cls, deadline),
        shares=shares,
        kept_if_failed=bool(getattr(cls, "kept_if_failed", True)),
    )


def _checked_resources(cls: type, given: object) -> Resources:
    if not isinstance(given, Resources):
        refuse(cls, "resources", given, "Resources(cpus=…, memory=…, gpus=…, labels=…)")
    resources: Resources = given
    for name in ("cpus", "gpus"):
        amount = getattr(resources, name)
        if not (is_number(amount) and isfinite(amount) and amount >= 0):
            refuse(cls, f"resources.{name}", amount, "a finite number >= 0")
    if not is_int(resources.memory) or not 0 <= resources.memory < 2**63:
        refuse(cls, "resources.memory", resources.memory, "an int of bytes >= 0; 0 for no limit")
    labels: Any = resources.labels
    if isinstance(labels, str) or not all(isinstance(label, str) for label in _iterated(labels)):
        refuse(cls, "resources.labels", labels, "a tuple of strings")
    return Resources(
        float(resources.cpus), int(resources.memory), float(resources.gpus), tuple(labels)
    )


def _iterated(value: Any) -> Iterable[object]:
    try:
        return tuple(value)
    except TypeError:
        return (value,)
