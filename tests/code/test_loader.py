from __future__ import annotations

import pickle
import sys
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.code.blobs import PICKLE, make_blob
from concurrent_framework.code.loader import CodeError, load_class
from concurrent_framework.model.spec import CodeReference

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DIGEST = "a" * 64


@pytest.fixture
def bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give an unpacked bundle; what is loaded from it is forgotten at the end."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    before = dict(sys.modules)
    folder = tmp_path / DIGEST
    (folder / "luggage").mkdir(parents=True)
    (folder / "luggage" / "__init__.py").write_text("")
    (folder / "luggage" / "shirts.py").write_text("class Shirt:\n    class Button: ...\n")
    yield folder
    for name in set(sys.modules) - set(before):
        del sys.modules[name]
    sys.modules.update(before)


def reference(qualname: str = "Shirt", module: str = "luggage.shirts") -> CodeReference:
    return CodeReference(module, qualname, DIGEST)


def test_a_class_is_imported_from_its_bundle(bundle: Path) -> None:
    cls = load_class(reference(), {DIGEST: bundle})
    assert cls.__qualname__ == "Shirt"
    assert load_class(reference("Shirt.Button"), {DIGEST: str(bundle)}) is cls.Button
    assert sys.path.count(str(bundle)) == 1


def test_an_installed_class_is_imported_by_name() -> None:
    assert load_class(CodeReference("pathlib", "PurePath"), {}).__name__ == "PurePath"


def test_inherited_modules_give_way_to_those_that_were_sent(bundle: Path) -> None:
    inherited, other = ModuleType("luggage"), ModuleType("luggage_belt")
    sys.modules.update({"luggage": inherited, "luggage_belt": other})
    cls = load_class(reference(), {DIGEST: bundle})
    assert sys.modules["luggage"] is not inherited
    assert sys.modules["luggage_belt"] is other
    assert cls.__module__ == "luggage.shirts"


def test_the_modules_of_an_application_are_its_own(bundle: Path) -> None:
    own, shirts = ModuleType("luggage"), ModuleType("luggage.shirts")
    shirts.Shirt = int  # type: ignore[attr-defined]
    sys.modules.update({"luggage": own, "luggage.shirts": shirts})
    assert load_class(reference(), {DIGEST: bundle}, own_first=True) is int
    assert sys.modules["luggage"] is own
    assert sys.path[-1] == str(bundle)


def test_an_application_needs_no_bundle_of_what_it_has_itself() -> None:
    reference = CodeReference("pathlib", "PurePath", DIGEST)
    assert load_class(reference, {}, own_first=True).__name__ == "PurePath"


def test_an_application_without_the_module_uses_what_was_sent(bundle: Path) -> None:
    assert load_class(reference(), {DIGEST: bundle}, own_first=True).__qualname__ == "Shirt"


def test_code_that_has_not_arrived_is_named(bundle: Path) -> None:
    with pytest.raises(CodeError, match=r"the code of Shirt \(aaaaaaaaaaaa\) has not arrived"):
        load_class(reference(), {})
    with pytest.raises(CodeError, match="has not arrived"):
        load_class(reference(), {DIGEST: bundle / "gone"})


def test_a_class_that_the_module_lacks_is_named(bundle: Path) -> None:
    with pytest.raises(CodeError, match=r"'luggage.shirts' \(.*shirts.py\) has no 'Sock' here"):
        load_class(reference("Sock"), {DIGEST: bundle})


def test_a_missing_module_comes_with_advice(bundle: Path) -> None:
    with pytest.raises(CodeError, match=r"no module 'luggage.socks', which Sock needs; install it"):
        load_class(reference("Sock", "luggage.socks"), {DIGEST: bundle})


def test_code_by_value_of_another_python_is_refused(tmp_path: Path) -> None:
    blob = make_blob(PICKLE, pickle.dumps(((3, 9), {}, b"never looked at")))
    path = tmp_path / blob.digest
    path.write_bytes(blob.data)
    with pytest.raises(CodeError, match=r"Odd was defined under Python 3\.9 .* runs 3\.\d+; use"):
        load_class(CodeReference("", "Odd", pickled=blob.digest), {blob.digest: path})
