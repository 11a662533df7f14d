from __future__ import annotations

import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.cli.loading import UserCodeError
from concurrent_framework.cli.target import parse, sample_names
from concurrent_framework.model.errors import UsageError
from tests.forgetting import imports_forgotten

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

APPLICATION = """
    from concurrent_framework import ApplicationNode, IApp, implements

    class {name}(ApplicationNode):
        implements(IApp)
"""


@pytest.fixture(autouse=True)
def _clean_import_state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with imports_forgotten(tmp_path):
        yield


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def writer(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return writer


def test_a_file_with_one_application(write: Callable[[str, str], Path]) -> None:
    write("one_app.py", APPLICATION.format(name="Mine"))
    found = parse("one_app.py").load()
    assert found.__name__ == "Mine"
    assert found.__module__ == "one_app"


def test_a_file_may_import_its_neighbours(write: Callable[[str, str], Path]) -> None:
    write("sub/neighbour_a.py", "NUMBER = 7")
    write("sub/with_neighbour.py", "import neighbour_a\n" + dedent(APPLICATION.format(name="Mine")))
    assert parse("sub/with_neighbour.py").load().__name__ == "Mine"


@pytest.mark.parametrize("name", ["json.py", "my-first app.py", "3d.py", "class.py"])
def test_a_file_may_have_any_name(name: str, write: Callable[[str, str], Path]) -> None:
    write(name, APPLICATION.format(name="Mine"))
    found = parse(name).load()
    assert found.__name__ == "Mine"
    assert sys.modules[found.__module__].Mine is found


def test_the_main_part_of_a_file_does_not_run(write: Callable[[str, str], Path]) -> None:
    text = dedent(APPLICATION.format(name="Mine"))
    write("guarded.py", f"{text}\nif __name__ == '__main__':\n    raise RuntimeError\n")
    assert parse("guarded.py").load().__name__ == "Mine"


def test_one_of_several_is_named(write: Callable[[str, str], Path]) -> None:
    write("two_apps.py", APPLICATION.format(name="First") + APPLICATION.format(name="Second"))
    assert parse("two_apps.py:Second").load().__name__ == "Second"
    with pytest.raises(UsageError, match=r"several applications \(First, Second\).*two_apps.py:F"):
        parse("two_apps.py").load()


def test_a_base_class_does_not_count(write: Callable[[str, str], Path]) -> None:
    text = dedent(APPLICATION.format(name="Base"))
    write("derived_app.py", f"{text}\nclass Derived(Base):\n    pass\n")
    assert parse("derived_app.py").load().__name__ == "Derived"


def test_an_imported_application_does_not_count(write: Callable[[str, str], Path]) -> None:
    write("base_app.py", APPLICATION.format(name="Base"))
    text = dedent(APPLICATION.format(name="Mine"))
    write("importing_app.py", f"from base_app import Base\n{text}")
    assert parse("importing_app.py").load().__name__ == "Mine"


def test_a_module(write: Callable[[str, str], Path]) -> None:
    write("some_package/__init__.py", "")
    write("some_package/apps.py", APPLICATION.format(name="Mine"))
    assert parse("some_package.apps:Mine").load().__name__ == "Mine"


@pytest.mark.parametrize("name", sample_names())
def test_each_sample_is_found_by_its_name(name: str) -> None:
    pytest.importorskip("numpy")
    assert parse(name).load().__module__.startswith(f"concurrent_framework.samples.{name}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nothing.py", r"there is no file nothing.py"),
        ("helo.py", r"there is no file helo.py; did you mean hello.py\?"),
        ("no/such/hello.py", r"the directory no/such does not exist"),
        ("./", r"./ is a directory"),
        ("mandelbrod", r"there is no sample 'mandelbrod'; did you mean mandelbrot\?"),
        (".", r"\. is a directory: name a file in it"),
        ("notes.txt", r"notes.txt is no Python file: expected a file \(hello.py\)"),
        ("data", r"data is a directory: name a file in it, or MODULE:CLASS"),
        ("zzz", r"there is no sample 'zzz' \(samples: .*mandelbrot"),
        ("hello", r"did you mean the file hello.py\?"),
        ("json", r"json is a module: name the class in it, as in json:MyApplication"),
        ("", r"'' is no target"),
        (":App", r"':App' is no target"),
        ("hello:my-app", r"'hello:my-app' is no target"),
    ],
)
def test_what_does_not_exist_is_said_in_one_line(
    text: str, message: str, write: Callable[[str, str], Path]
) -> None:
    write("hello.py", "")
    write("notes.txt", "")
    write("data/numbers.txt", "")
    with pytest.raises(UsageError, match=message) as caught:
        parse(text)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("plain.py", r"plain.py defines no application: write a class"),
        ("plain.py:Nothing", r"plain.py has no class Nothing"),
        ("plain.py:Thing", r"Thing in plain.py is no application: write `class Thing\(App"),
        ("plain.py:number", r"number in plain.py is no application"),
        ("no_such_module_here:App", r"there is no module 'no_such_module_here'"),
        ("json:App", r"json has no class App"),
        ("exits.py", r"exits.py ended the program"),
    ],
)
def test_what_is_no_application_is_said_in_one_line(
    target: str, message: str, write: Callable[[str, str], Path]
) -> None:
    write("plain.py", "class Thing: pass\nnumber = 3")
    write("exits.py", "raise SystemExit")
    with pytest.raises(UsageError, match=message) as caught:
        parse(target).load()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("how", ["broken.py", "broken:App"])
def test_an_import_error_shows_the_users_own_frames(
    how: str, write: Callable[[str, str], Path]
) -> None:
    path = write("broken.py", "def deep():\n    import no_such_thing\n\ndeep()\n")
    with pytest.raises(UserCodeError) as caught:
        parse(how).load()
    shown = str(caught.value)
    assert shown.startswith("Traceback (most recent call last):")
    assert f'File "{path}", line 4' in shown
    assert f'File "{path}", line 2, in deep' in shown
    assert shown.endswith("ModuleNotFoundError: No module named 'no_such_thing'")
    assert shown.count("File ") == 2


def test_a_syntax_error_shows_the_line(write: Callable[[str, str], Path]) -> None:
    path = write("typo.py", "class Oops(:\n    pass\n")
    with pytest.raises(UserCodeError) as caught:
        parse("typo.py").load()
    assert f'File "{path}", line 1' in str(caught.value)
    assert str(caught.value).count("File ") == 1
