"""Plug-ins: files in a folder and installed packages; a broken one never stops the rest."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from concurrent_framework.components import ComponentManager, ICommand, Interface, PluginProblem
from concurrent_framework.components.plugins import folder_plugins, installed_plugins
from concurrent_framework.config import Config
from concurrent_framework.model.errors import UsageError
from tests.forgetting import imports_forgotten

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class IGreeter(Interface):
    def greet(self, name: str) -> str:
        """Return a greeting."""


def source(*names: str, before: str = "") -> str:
    lines = [
        "from concurrent_framework.components import Component, implements",
        "from concurrent_framework.config import Option",
        f"import sys; IGreeter = sys.modules[{__name__!r}].IGreeter",
        before,
    ]
    for name in names:
        lines += [
            f"class {name}(Component):",
            "    implements(IGreeter)",
            f"    volume = Option('{name.lower()}', 'volume', default=3)",
            f"    def greet(self, name): return '{name} ' + name",
        ]
    return "\n".join(lines)


@pytest.fixture(autouse=True)
def _forget_plugins(tmp_path: Path) -> Iterator[None]:
    """Leave the interpreter as if the plug-ins of the test had never been imported."""
    with imports_forgotten(tmp_path):
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    plugins = tmp_path / "plugins"
    plugins.mkdir()
    return plugins


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def discovered(folder: Path, *settings: str) -> ComponentManager:
    manager = ComponentManager(Config.load(settings=settings))
    manager.discover(folder, installed=False)
    return manager


def test_files_and_packages_of_a_folder_are_found_in_order(folder: Path) -> None:
    write(folder, "zeta_plug.py", source("Zeta"))
    write(folder, "alpha_plug/__init__.py", "from alpha_plug.inner import *")
    write(folder, "alpha_plug/inner.py", source("Second", "First"))
    write(folder, "notes.txt", "no plug-in")
    write(folder, "empty_folder/data.csv", "1")
    write(folder, ".hidden.py", "raise SystemExit")
    manager = discovered(folder)
    assert manager.problems == []
    assert [one.greet("x") for one in manager.all(IGreeter)] == ["Second x", "First x", "Zeta x"]
    assert manager.describe()[0].origin == "plugins/alpha_plug"


def test_plugins_may_share_parts_in_files_with_an_underscore(folder: Path) -> None:
    write(folder, "_shared_part.py", source("Common"))
    write(folder, "shouter.py", source("Shout", before="import _shared_part"))
    assert discovered(folder).names(IGreeter) == ["shout"]


def test_no_folder_has_no_plugins(tmp_path: Path) -> None:
    assert list(folder_plugins(tmp_path / "missing")) == []


def test_finding_a_plugin_twice_is_harmless(folder: Path) -> None:
    write(folder, "shouter.py", source("Shout"))
    manager = discovered(folder)
    manager.discover(folder, installed=False)
    manager.check()
    assert manager.names(IGreeter) == ["shout"]
    assert discovered(folder).names(IGreeter) == ["shout"]


@pytest.mark.parametrize(
    ("text", "summary"),
    [
        ("1 / 0", "ZeroDivisionError: division by zero"),
        ("import no_such_module_anywhere", "ModuleNotFoundError: No module named"),
        ("def broken(:", "SyntaxError: "),
        ("raise SystemExit(3)", "SystemExit: 3"),
        (
            "from concurrent_framework.components import *; implements(int)",
            "implements() works only inside the body",
        ),
    ],
)
def test_a_plugin_that_raises_is_reported_and_the_rest_runs(
    folder: Path, text: str, summary: str
) -> None:
    write(folder, "broken_plug.py", f"# a comment\n{text}\n")
    write(folder, "shouter.py", source("Shout"))
    reported: list[PluginProblem] = []
    manager = ComponentManager(report=reported.append)
    manager.discover(folder, installed=False)
    manager.check()
    (problem,) = reported
    assert problem.origin == "plugins/broken_plug.py"
    assert summary in problem.summary
    assert 'broken_plug.py", line 2' in problem.traceback
    assert "importlib" not in problem.traceback
    assert "concurrent_framework/components" not in problem.traceback
    assert manager.names(IGreeter) == ["shout"]
    states = {row.name: (row.state, row.reason) for row in manager.describe()}
    assert states["shout"] == ("enabled", "")
    assert states["broken_plug"] == ("failed", problem.summary)
    assert "broken_plug" not in sys.modules


def test_a_plugin_can_be_switched_off_without_being_imported(folder: Path) -> None:
    write(folder, "broken_plug.py", "raise SystemExit")
    manager = discovered(folder, "components.broken_plug=disabled")
    manager.check()
    assert manager.problems == []
    (row,) = manager.describe()
    assert (row.name, row.state, row.reason) == ("broken_plug", "disabled", "switched off by --set")


def test_a_component_of_a_plugin_can_be_switched_off_alone(folder: Path) -> None:
    write(folder, "both_plug.py", source("Loud", "Soft"))
    manager = discovered(folder, "components.loud=disabled")
    manager.check()
    assert manager.names(IGreeter) == ["soft"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("json.py", "there is another Python module called 'json'"),
        ("cloudpickle.py", "there is another Python module called 'cloudpickle'"),
        ("my-plugin.py", "cannot be the name of a Python module"),
    ],
)
def test_a_plugin_whose_name_is_impossible_is_told(folder: Path, name: str, reason: str) -> None:
    write(folder, name, source("Shout"))
    (problem,) = discovered(folder).problems
    assert reason in problem.summary


def test_a_plugin_without_components_is_listed(folder: Path) -> None:
    write(folder, "helper_plug.py", "x = 1")
    (row,) = discovered(folder).describe()
    assert (row.name, row.state, row.reason) == ("helper_plug", "enabled", "has no components")


def test_abstract_and_imported_components_are_not_the_plugins(folder: Path) -> None:
    text = source("Shout") + (
        "\nfrom concurrent_framework.components import *"
        "\nclass Base(Component):\n    abstract = True\n    implements(IGreeter)"
        "\nclass Plain(Component): pass"
        "\nfrom tests.components.test_manager import Casual"
    )
    write(folder, "shouter.py", text)
    assert [row.name for row in discovered(folder).describe()] == ["shout"]


def test_two_plugins_with_components_of_one_name_are_an_error_that_names_both(
    folder: Path,
) -> None:
    write(folder, "first_plug.py", source("Shout"))
    write(folder, "other_plug.py", source("Shout"))
    manager = discovered(folder)
    with pytest.raises(UsageError) as caught:
        manager.check()
    assert "'shout': first_plug:Shout, plugins/first_plug.py; and other_plug:Shout" in str(
        caught.value
    )
    assert [row.state for row in manager.describe()] == ["enabled", "failed"]
    discovered(folder, "components.other_plug=disabled").check()


def test_options_of_plugins_count(folder: Path) -> None:
    write(folder, "shouter.py", source("Shout"))
    discovered(folder, "shout.volume=11").check()
    with pytest.raises(UsageError, match=r"shout.volume = loud: expected a whole number"):
        discovered(folder, "shout.volume=loud").check()


def install(site: Path, name: str, entry_points: str, **files: str) -> None:
    info = site / f"{name}-1.2.dist-info"
    write(info, "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    write(info, "entry_points.txt", entry_points)
    for file, text in files.items():
        write(site, f"{file}.py", text)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "site"
    path.mkdir()
    monkeypatch.syspath_prepend(path)
    return path


def test_installed_packages_announce_components_and_modules(site: Path) -> None:
    install(
        site,
        "acme-greeters",
        "[concurrent_framework.components]\nzoo = acme_mod\nacme = acme_one:Loud\n",
        acme_mod=source("Lion", "Tiger"),
        acme_one=source("Loud", "Ignored"),
    )
    install(site, "bystander", "[console_scripts]\nx = y:z\n")
    manager = ComponentManager()
    manager.discover()
    manager.check()
    assert manager.names(IGreeter) == ["loud", "lion", "tiger"]
    assert manager.describe()[0].origin == "acme-greeters 1.2"


def test_a_broken_package_is_reported_and_can_be_switched_off(site: Path) -> None:
    entry_points = "[concurrent_framework.components]\nbad = acme_bad\nint = builtins:int\n"
    install(site, "acme-bad", entry_points, acme_bad="1 / 0")
    manager = ComponentManager()
    manager.discover()
    assert [one.origin for one in manager.problems] == ["acme-bad 1.2"] * 2
    assert "acme_bad.py" in manager.problems[0].traceback
    assert "neither a component nor a module" in manager.problems[1].summary
    off = ["components.bad=disabled", "components.int=disabled"]
    quiet = ComponentManager(Config.load(settings=off))
    quiet.discover()
    quiet.check()
    assert quiet.problems == []


def test_looking_for_packages_is_cheap_when_none_announces_anything(site: Path) -> None:
    install(site, "bystander", "[console_scripts]\nx = y:z\n")
    paths = [str(site), str(site / "missing"), ""]
    assert list(installed_plugins(paths)) == []


COMMAND = """
from concurrent_framework.components import Component, ICommand, implements

class Ping(Component):
    implements(ICommand)
    def run(self, arguments): return 0
"""


def test_commands_are_imported_only_when_they_are_asked_for_or_switched_off(site: Path) -> None:
    entry_points = "[concurrent_framework.commands]\nacme = acme_ping:Ping\n"
    install(site, "acme-ping", entry_points, acme_ping=COMMAND)
    manager = ComponentManager()
    manager.discover()
    assert manager.names(ICommand) == []
    assert "acme_ping" not in sys.modules
    manager.discover(commands=True)
    assert manager.names(ICommand) == ["ping"]
    for name in ("acme", "ping"):
        switched = ComponentManager(Config.load(settings=[f"components.{name}=disabled"]))
        switched.discover()
        switched.check()
        assert switched.names(ICommand) == []
