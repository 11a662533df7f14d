from __future__ import annotations

import fractions
import io
import sys
import zipfile
from importlib import import_module, invalidate_caches
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework import Farm, Task, UsageError
from concurrent_framework.code import by_value, collect
from concurrent_framework.code.bundle import CodeShipper

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from concurrent_framework.model.spec import CodeBlob


class Modules:
    """The user's own modules in a folder, importable while a test runs."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self._folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        invalidate_caches()

    def thing(self, module: str) -> Any:
        return import_module(module).Thing


@pytest.fixture
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Modules]:
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("concurrent_framework.code.bundle.loaded_local_modules", list)
    before = set(sys.modules)
    yield Modules(tmp_path)
    for name in set(sys.modules) - before:
        del sys.modules[name]


THING = "class Thing: ...\n"


def contents(blob: CodeBlob) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(blob.data)) as archive:
        return archive.namelist()


@pytest.mark.usefixtures("modules")
def test_installed_classes_travel_by_name_alone() -> None:
    for cls in (int, fractions.Fraction, pytest.Item, Task, Farm):
        reference, blobs = CodeShipper().reference(cls)
        assert (reference.module, reference.qualname) == (cls.__module__, cls.__qualname__)
        assert reference.digests() == ()
        assert blobs == []


def test_ready_made_classes_bring_the_modules_whose_functions_they_may_hold(
    modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules.write({"mine.py": THING})
    modules.thing("mine")
    monkeypatch.setattr("concurrent_framework.code.bundle.loaded_local_modules", lambda: ["mine"])
    reference, [blob] = CodeShipper().reference(Farm)
    assert (reference.module, reference.bundle) == (Farm.__module__, blob.digest)
    assert contents(blob) == [".origins", "mine.py"]
    assert CodeShipper().reference(int)[1] == []


@pytest.mark.usefixtures("modules")
def test_samples_are_part_of_the_framework() -> None:
    from concurrent_framework.samples.codecount.metrics import Counts

    assert CodeShipper().reference(Counts)[1] == []


def test_equal_files_make_equal_bundles(modules: Modules) -> None:
    modules.write({"one.py": "import two\n" + THING, "two.py": "", "three.py": ""})
    first, second = (CodeShipper().reference(modules.thing("one")) for _ in range(2))
    assert first == second
    assert contents(first[1][0]) == [".origins", "one.py", "two.py"]


def test_one_run_keeps_to_the_files_as_it_first_read_them(modules: Modules) -> None:
    modules.write({"one.py": THING, "other.py": THING})
    shipper = CodeShipper()
    first, _ = shipper.reference(modules.thing("one"))
    modules.write({"one.py": THING + "edited = True\n"})
    assert shipper.reference(modules.thing("one"))[0] == first
    _, (both,) = shipper.reference(modules.thing("other"))
    with zipfile.ZipFile(io.BytesIO(both.data)) as archive:
        assert archive.read("one.py").decode() == THING
    assert CodeShipper().reference(modules.thing("one"))[0] != first


def test_modules_that_import_each_other_are_no_problem(modules: Modules) -> None:
    modules.write({"one.py": "import two\n" + THING, "two.py": "def f():\n    import one\n"})
    _, (blob,) = CodeShipper().reference(modules.thing("one"))
    assert contents(blob) == [".origins", "one.py", "two.py"]


def test_too_much_code_is_refused_each_time_and_says_what_is_large(
    modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "MAX_BUNDLE_BYTES", 2 * 2**20)
    modules.write({"big/__init__.py": THING, "big/table.txt": "x" * 3 * 2**20})
    shipper = CodeShipper()
    for _ in range(2):
        with pytest.raises(
            UsageError, match=r"'big' is too large .*big/table.txt \(3.0 MiB\).*Inst"
        ):
            shipper.reference(modules.thing("big"))


def test_too_many_files_are_refused(modules: Modules, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "MAX_BUNDLE_FILES", 3)
    modules.write({f"many/{name}.py": THING for name in ("__init__", "a", "b", "c", "d")})
    with pytest.raises(
        UsageError, match="'many' is too large to be sent to workers: 4 files or mo"
    ):
        CodeShipper().reference(modules.thing("many"))


def test_a_large_data_file_stays_behind(modules: Modules) -> None:
    modules.write({"pack/__init__.py": THING, "pack/huge.bin": "x" * (4 * 2**20 + 1)})
    _, (blob,) = CodeShipper().reference(modules.thing("pack"))
    assert contents(blob) == [".origins", "pack/__init__.py"]


def test_loaded_modules_come_along_as_far_as_there_is_room(
    modules: Modules, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(collect, "MAX_BUNDLE_BYTES", 1000)
    loaded = ["also", "unlucky"]
    monkeypatch.setattr("concurrent_framework.code.bundle.loaded_local_modules", lambda: loaded)
    modules.write({"one.py": THING, "also.py": "import more", "more.py": ""})
    modules.write({"unlucky.py": "#" * 1000})
    _, (blob,) = CodeShipper().reference(modules.thing("one"))
    assert contents(blob) == [".origins", "also.py", "more.py", "one.py"]


def test_a_class_that_drags_a_large_global_along_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = "x" * 2000

    class Look(Task):
        def __call__(self) -> str:
            return table[3]

    monkeypatch.setattr(by_value, "MAX_DEFINITION_BYTES", 1000)
    with pytest.raises(UsageError, match=r"definition of .*Look takes .* MiB.*large global value"):
        CodeShipper().reference(Look)


def test_a_class_that_is_not_found_under_its_name_travels_by_value(modules: Modules) -> None:
    modules.write({"hidden.py": THING + "kept = Thing\n" + THING})
    kept = import_module("hidden").kept
    reference, blobs = CodeShipper().reference(kept)
    assert reference.module == ""
    assert [blob.kind for blob in blobs] == ["bundle", "pickle"]
    assert reference.digests() == tuple(blob.digest for blob in blobs)
