from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework import NotSerializable, Task
from concurrent_framework.code.bundle import CodeShipper
from concurrent_framework.code.cache import CodeCache
from concurrent_framework.code.received import ReceivedCode
from concurrent_framework.model.ids import SPEC_BITS
from concurrent_framework.protocol.tasks import SpecEntry
from concurrent_framework.tasks.payload import load_task
from concurrent_framework.tasks.spawning import SpawnBook
from concurrent_framework.tasks.specs import SpecBook

if TYPE_CHECKING:
    from pathlib import Path

APPLICATION = 5


def define() -> tuple[Any, Any]:
    class Parent(Task):
        def __call__(self) -> None: ...

    class Child(Task):
        def __init__(self, number: int) -> None:
            self.number = number

        def __call__(self) -> None: ...

    return Parent, Child


@pytest.fixture(autouse=True)
def _only_pickles_travel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the bundle of the tests' own modules out: here it would replace them."""
    monkeypatch.setattr("concurrent_framework.code.loader.mount", lambda *_, **__: None)


class Executor:
    """Knows what an application has defined, as an executor does."""

    def __init__(self, directory: Path, *known: Task) -> None:
        book = SpecBook(CodeShipper())
        self.numbers = [book.number_for(task) for task in known]
        definitions = book.all_definitions()
        cache = CodeCache(directory)
        self.code = ReceivedCode()
        self.code.learn(
            [entry.spec.code for entry in definitions.specs],
            {blob.digest: cache.add(blob) for blob in definitions.codes},
        )
        self.book = SpawnBook(self.code)
        self.book.learn(
            SpecEntry(APPLICATION << SPEC_BITS | entry.number, entry.spec)
            for entry in definitions.specs
        )


def test_a_task_of_a_known_class_refers_to_what_the_application_defined(tmp_path: Path) -> None:
    parent, child = define()
    executor = Executor(tmp_path, parent("p"), child(1))
    row = executor.book.row(child(7))
    assert row.spec == executor.numbers[1]
    assert row.name == "Child"
    assert load_task(child, bytes(row.payload)).number == 7
    assert executor.book.definitions([row]) == ((), ())


def test_a_task_of_an_unknown_class_brings_its_spec_and_code(tmp_path: Path) -> None:
    parent, child = define()
    executor = Executor(tmp_path, parent("p"))
    urgent = parent("p")
    urgent.priority = 4
    rows = [executor.book.row(one) for one in (child(1), parent("p"), urgent, child(2))]
    assert [row.spec for row in rows] == [-1, executor.numbers[0], -2, -1]
    specs, codes = executor.book.definitions(rows)
    assert [entry.number for entry in specs] == [-1, -2]
    assert specs[0].spec.code.qualname.endswith("Child")
    assert specs[1].spec.priority == 4
    assert [blob.digest for blob in codes] == [specs[0].spec.code.pickled]
    assert specs[0].spec.code.bundle, "what the application sent is there for the child too"


def test_a_child_that_cannot_travel_is_refused_at_the_push(tmp_path: Path) -> None:
    parent, child = define()
    executor = Executor(tmp_path, parent("p"))
    with pytest.raises(NotSerializable, match="attribute number is of type generator"):
        executor.book.row(child(n for n in [1]))


def test_classes_of_modules_need_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = tmp_path / ("b" * 64)
    bundle.mkdir()
    (bundle / "childhood.py").write_text(
        "from concurrent_framework import Task\nclass Child(Task):\n    def __call__(self): ...\n"
    )
    monkeypatch.syspath_prepend(bundle)
    from importlib import import_module

    child = import_module("childhood").Child
    code = ReceivedCode()
    code.learn([], {bundle.name: bundle})
    book = SpawnBook(code)
    (entry,), codes = book.definitions([book.row(child())])
    assert (entry.spec.code.module, entry.spec.code.bundle) == ("childhood", bundle.name)
    assert codes == ()


def test_local_modules_that_were_never_sent_are_sent_now(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "foundling.py").write_text(
        "from concurrent_framework import Task\nclass Child(Task):\n    def __call__(self): ...\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    from importlib import import_module

    book = SpawnBook(ReceivedCode())
    (entry,), (blob,) = book.definitions([book.row(import_module("foundling").Child())])
    assert entry.spec.code.bundle == blob.digest
    with zipfile.ZipFile(io.BytesIO(blob.data)) as archive:
        assert "foundling.py" in archive.namelist()
