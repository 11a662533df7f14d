from __future__ import annotations

import threading
from math import inf, nan
from typing import Any

import pytest

from concurrent_framework import NotSerializable, Resources, Task, UsageError
from concurrent_framework.model.ids import FIRST_SPAWNED_SPEC
from concurrent_framework.model.spec import CodeBlob, CodeReference, TaskSpec
from concurrent_framework.protocol.tasks import SpecEntry
from concurrent_framework.tasks import specs
from concurrent_framework.tasks.specs import SpecBook


class Source:
    """Knows where nothing comes from, but answers."""

    def __init__(self, blobs: list[CodeBlob] | None = None) -> None:
        self.asked: list[type] = []
        self.blobs = blobs or []

    def reference(self, cls: type) -> tuple[CodeReference, list[CodeBlob]]:
        self.asked.append(cls)
        bundle = self.blobs[0].digest if self.blobs else ""
        return CodeReference("m", cls.__qualname__, bundle), self.blobs


class Simple(Task):
    def __call__(self) -> None: ...


class Special(Simple):
    max_attempts = 5
    timeout = 2.5
    priority = 7
    resources = Resources(cpus=2, memory=10, labels=("big",))
    idempotent = False

    def finished(self, result: Any, error: Any) -> None: ...


class Dynamic(Simple):
    def __init__(self, size: int) -> None:
        self.size = size

    @property
    def timeout(self) -> float:  # type: ignore[override]
        return float(self.size)


@pytest.fixture
def book() -> SpecBook:
    return SpecBook(Source())


def only_spec(book: SpecBook) -> TaskSpec:
    define = book.new_definitions()
    assert define is not None
    (entry,) = define.specs
    return entry.spec


def with_attributes(**attributes: Any) -> Task:
    made = Simple()
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def test_tasks_of_one_class_share_a_spec_that_is_told_once() -> None:
    source = Source()
    book = SpecBook(source)
    assert book.number_for(Simple("a")) == book.number_for(Simple("b")) == 0
    assert only_spec(book) == TaskSpec(CodeReference("m", "Simple"))
    assert book.new_definitions() is None
    assert source.asked == [Simple]


def test_class_attributes_are_in_the_spec(book: SpecBook) -> None:
    book.number_for(Special())
    assert only_spec(book) == TaskSpec(
        CodeReference("m", "Special"),
        resources=Resources(2.0, 10, 0.0, ("big",)),
        priority=7,
        timeout=2.5,
        max_attempts=5,
        idempotent=False,
        notifies=True,
    )


def test_attributes_of_instances_make_specs_of_their_own(book: SpecBook) -> None:
    urgent = with_attributes(priority=9)
    numbers = [book.number_for(one) for one in (Simple(), urgent, Simple(), urgent, Special())]
    assert numbers == [0, 1, 0, 1, 2]
    define = book.new_definitions()
    assert define is not None
    assert [entry.number for entry in define.specs] == [0, 1, 2]
    assert define.specs[1].spec.priority == 9


def test_properties_and_later_changes_of_the_class_count(
    book: SpecBook, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [book.number_for(Dynamic(n)) for n in (1, 2, 1)] == [0, 1, 0]
    monkeypatch.setattr(Dynamic, "priority", 3)
    assert book.number_for(Dynamic(1)) == 2


def test_code_is_told_once_and_all_of_it_on_demand() -> None:
    blob = CodeBlob("d" * 64, "bundle", b"zip")
    book = SpecBook(Source([blob]))
    book.reference_for(str)
    book.number_for(Simple())
    define = book.new_definitions()
    assert define is not None
    assert define.codes == (blob,)
    book.number_for(Special())
    everything = book.all_definitions()
    assert everything.codes == (blob,)
    assert len(everything.specs) == 2
    assert book.new_definitions() is None


def test_numbers_can_start_above_those_of_another_process(book: SpecBook) -> None:
    book.number_above([4, 2])
    assert book.number_for(Simple()) == 5
    book.number_above([1])
    book.number_above([FIRST_SPAWNED_SPEC + 3])
    assert book.number_for(Special()) == 6


def test_specs_that_were_learnt_keep_their_numbers() -> None:
    book = SpecBook(Source(), step=-1)
    book.learn([SpecEntry(12, TaskSpec(CodeReference("m", "Simple")))])
    assert book.number_for(Simple()) == 12
    assert book.new_definitions() is None
    assert book.number_for(with_attributes(priority=1)) == -1
    assert book.number_for(with_attributes(priority=2)) == -2


@pytest.mark.parametrize(
    ("attribute", "value", "expected"),
    [
        ("max_attempts", 0, "an int from 1 to 1000"),
        ("max_attempts", True, "an int from 1 to 1000"),
        ("max_attempts", 1001, "an int from 1 to 1000"),
        ("timeout", 0, "a number of seconds > 0, or None"),
        ("timeout", nan, "a number of seconds > 0"),
        ("timeout", "5", "a number of seconds > 0"),
        ("priority", 1.5, "an int that fits in 32 bits"),
        ("priority", 2**31, "an int that fits in 32 bits"),
        ("idempotent", None, "True or False"),
        ("resources", {"cpus": 2}, r"Resources\(cpus=…"),
    ],
)
def test_values_that_cannot_be_name_class_and_attribute(
    book: SpecBook, attribute: str, value: Any, expected: str
) -> None:
    with pytest.raises(UsageError, match=rf"Simple.{attribute} is .*; it must be {expected}"):
        book.number_for(with_attributes(**{attribute: value}))
    assert book.number_for(Simple()) == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("cpus", -1),
        ("cpus", inf),
        ("gpus", "1"),
        ("memory", 1.5),
        ("memory", -1),
        ("labels", "gpu"),
        ("labels", [1]),
        ("labels", 3),
    ],
)
def test_resources_are_checked(book: SpecBook, field: str, value: Any) -> None:
    with pytest.raises(UsageError, match=rf"Simple.resources.{field} is "):
        book.number_for(with_attributes(resources=Resources(**{field: value})))


def test_harmless_values_are_made_canonical(book: SpecBook) -> None:
    labels: Any = ["a", "b"]
    book.number_for(with_attributes(timeout=inf, resources=Resources(cpus=2, labels=labels)))
    spec = only_spec(book)
    assert spec.timeout == 0.0
    assert spec.resources == Resources(2.0, 0, 0.0, ("a", "b"))


def test_unhashable_values_are_no_problem(book: SpecBook) -> None:
    with pytest.raises(UsageError):
        book.number_for(with_attributes(priority=[1]))


class Idle(Task): ...


class Async(Task):
    async def __call__(self) -> None: ...


class Generating(Task):
    def __call__(self) -> Any:
        yield 1


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (Idle, "Idle does not say what to do: define __call__"),
        (Async, "Async.__call__ is async"),
        (Generating, "Generating.__call__ is a generator"),
    ],
)
def test_classes_that_cannot_run_are_refused(book: SpecBook, cls: Any, message: str) -> None:
    for _ in range(2):
        with pytest.raises(UsageError, match=message):
            book.number_for(cls())


def test_the_number_of_specs_is_bounded(book: SpecBook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(specs, "MAX_SPECS", 2)
    book.number_for(with_attributes(priority=1))
    book.number_for(with_attributes(priority=2))
    with pytest.raises(UsageError, match=r"at most 2 ways in max_attempts, timeout, .*round"):
        book.number_for(with_attributes(priority=3))
    assert book.number_for(with_attributes(priority=1)) == 0


def test_a_class_that_cannot_travel_names_what_it_uses() -> None:
    from concurrent_framework.code.bundle import CodeShipper

    lock = threading.Lock()

    class Locking(Task):
        def __call__(self) -> None:
            with lock:
                pass

    with pytest.raises(
        NotSerializable, match=r"lock, which Locking.__call__ uses, is of type _thr"
    ):
        SpecBook(CodeShipper()).number_for(Locking())
