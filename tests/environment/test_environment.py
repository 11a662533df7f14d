"""Making, opening, configuring and deleting environments."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework.components import Component, ComponentManager, PluginProblem
from concurrent_framework.environment import (
    Environment,
    create,
    delete,
    set_application,
    switch,
)
from concurrent_framework.environment.lock import holder_of, locked
from concurrent_framework.environment.settings import change
from concurrent_framework.model.errors import ConcurrentError, UsageError
from tests.environment.conftest import SmallDisk, open_plain

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

APP = """
from concurrent_framework.components import Component, IApp, implements
from concurrent_framework.config import Option
from concurrent_framework.environment import Environment

class Probe(Component):
    implements(IApp)
    depth = Option("probe", "depth", default=3, doc="How deep.")
    def app_init(self): pass
    def app_main(self): return self.depth

class Other(Component):
    implements(IApp)
    def app_init(self): pass
    def app_main(self): return 0
"""

LISTENER = """
from concurrent_framework.components import Component, implements
from concurrent_framework.environment import IEnvironmentListener

class Diary(Component):
    implements(IEnvironmentListener)
    def __init__(self): self.seen = []
    def created(self, environment): self.seen.append(("created", environment.title))
    def opened(self, environment): self.seen.append(("opened", environment.title))
    def deleted(self, environment):
        self.seen.append(("deleted", environment.layout.config.exists()))
        raise RuntimeError("cannot let go")

class Quiet(Component):
    implements(IEnvironmentListener)
"""


def diary(environment: Environment) -> list[Any]:
    component: Any = environment.listeners[0]
    seen: list[Any] = component.seen
    return seen


def test_a_new_environment_has_its_folders_and_a_configuration(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "lab"
    environment = create(path, app="master", name="The Lab", opener=open_plain)
    assert environment.title == "The Lab"
    assert environment.application == "master"
    assert environment.version == 1
    assert sorted(os.listdir(path)) == [
        "backups",
        "data",
        "env.toml",
        "keys",
        "logs",
        "plugins",
        "run",
    ]
    private = [stat.S_IMODE((path / name).stat().st_mode) for name in ("keys", "run", "backups")]
    assert private == [0o700] * 3
    assert os.listdir(path.parent) == ["lab"]


def test_it_is_called_like_its_directory_unless_told_otherwise(lab: Environment) -> None:
    assert lab.title == "lab"


def test_an_empty_directory_may_become_an_environment(tmp_path: Path) -> None:
    (tmp_path / "lab").mkdir()
    assert create(tmp_path / "lab", opener=open_plain).application == ""


def test_names_may_hold_anything(tmp_path: Path) -> None:
    assert create(tmp_path / "x", name='a "b"\nc', opener=open_plain).title == 'a "b"\nc'


def test_create_never_overwrites(tmp_path: Path, lab: Environment) -> None:
    with pytest.raises(UsageError, match="lab is an environment already"):
        create(lab.layout.root, opener=open_plain)
    with pytest.raises(UsageError, match="is a directory with other things in it"):
        create(tmp_path, opener=open_plain)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        create(tmp_path / "file", opener=open_plain)


def test_where_nothing_may_be_written_create_says_so(forbidden: Path) -> None:
    before = sorted(forbidden.iterdir())
    with pytest.raises(ConcurrentError, match=r"cannot create .*lab: .* \(.*; see who owns it"):
        create(forbidden / "lab", opener=open_plain)
    assert sorted(forbidden.iterdir()) == before


def test_on_a_full_disk_create_leaves_nothing(tmp_path: Path, small_disk: SmallDisk) -> None:
    with (
        small_disk(100),
        pytest.raises(ConcurrentError, match=r"cannot create .*lab: File too large"),
    ):
        create(tmp_path / "deep" / "lab", opener=open_plain)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("path", ["", "nowhere", "file"])
def test_a_path_that_is_no_environment_is_told(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"no environment: it has no|there is no such directory"):
        open_plain(tmp_path / path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[master\n", r"env.toml:1: Expected ']'"),
        ("[environment]\nlog_sise = 3\n", r"env.toml:2: environment.log_sise: .* did you mean env"),
        ("[environment]\nlog_level = 'loud'\n", r'env.toml:2: .*expected "debug" or "info"'),
        ("[nowhere]\nx = 1\n", r"env.toml:2: nowhere.x: there is no section \[nowhere\]"),
        ("[components]\nnobody = 'disabled'\n", r"env.toml:2: components.nobody: there is no comp"),
        ("[environment]\nversion = 99\n", r"is of version 99, .* install a newer one"),
        ("[environment]\nversion = 'a'\n", r"env.toml:2: environment.version = \"a\": expected a"),
    ],
)
def test_a_wrong_configuration_is_told_with_its_place(
    lab: Environment, text: str, message: str
) -> None:
    lab.layout.config.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=message):
        open_plain(lab.layout.root)


def test_an_older_version_is_told_how_to_upgrade(
    lab: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("concurrent_framework.environment.environment.VERSION", 2)
    with pytest.raises(UsageError, match=r"is of version 1: `concurrent env upgrade .*` brings it"):
        open_plain(lab.layout.root)


def test_variables_and_settings_override_the_file(lab: Environment) -> None:
    opened = open_plain(
        lab.layout.root,
        environ={"CONCURRENT_ENVIRONMENT__LOG_SIZE": "1 MiB"},
        settings=["environment.log_files=2"],
    )
    assert (opened.log_size, opened.log_files) == (1 << 20, 2)
    sources = {row.key: row.source for row in opened.describe() if row.section == "environment"}
    assert sources == {
        "join": "default",
        "listen": "default",
        "app": f"{lab.layout.config}:6",
        "log_files": "--set",
        "log_level": "default",
        "log_size": "CONCURRENT_ENVIRONMENT__LOG_SIZE",
        "name": f"{lab.layout.config}:7",
        "version": f"{lab.layout.config}:5",
    }


def test_components_reach_their_environment(plug: Callable[[str], Environment]) -> None:
    environment = plug(APP)
    assert environment.components[Environment] is environment
    with pytest.raises(UsageError, match="there is no environment here: this was started without"):
        ComponentManager()[Environment]


def test_an_environment_with_mistakes_can_still_be_opened_to_be_saved(lab: Environment) -> None:
    lab.layout.config.write_text("[broken", encoding="utf-8")
    reported: list[PluginProblem] = []
    opened = open_plain(lab.layout.root, check=False, report=reported.append)
    assert opened.title == "lab"
    assert reported[0].summary.endswith("declaration (at line 1, column 8)") or "env.toml:1" in (
        reported[0].summary
    )


def test_options_of_plugins_are_described(plug: Callable[[str], Environment]) -> None:
    (row,) = [row for row in plug(APP).describe() if row.section == "probe"]
    assert (row.key, row.value, row.source, row.doc) == ("depth", 3, "default", "How deep.")


def test_the_application_can_be_chosen(plug: Callable[[str], Environment]) -> None:
    environment = plug(APP)
    set_application(environment, "other")
    text = environment.layout.config.read_text(encoding="utf-8")
    assert text.startswith("# The configuration of this environment.")
    assert open_plain(environment.layout.root).application == "other"
    with pytest.raises(UsageError, match="no application is called 'othr'; did you mean 'other'"):
        set_application(environment, "othr")
    assert environment.layout.config.read_text(encoding="utf-8") == text


def test_a_name_that_is_no_applications_is_told(lab: Environment) -> None:
    with pytest.raises(
        UsageError, match=r"there is master, worker, and whatever is put in .*plugins"
    ):
        set_application(lab, "mine")


@pytest.mark.parametrize("name", ["other", "lab_plugin:Other"])
def test_components_are_switched_off_and_on(plug: Callable[[str], Environment], name: str) -> None:
    environment = plug(APP)

    def states() -> dict[str, str]:
        opened = open_plain(environment.layout.root)
        rows = opened.components.describe()
        return {row.name: row.state for row in rows if row.origin != "built-in"}

    switch(environment, name, on=False)
    assert states() == {"probe": "enabled", "other": "disabled"}
    switch(environment, name, on=True)
    assert states() == {"probe": "enabled", "other": "enabled"}


def test_a_broken_plugin_is_listed_and_can_be_switched_off(
    plug: Callable[[str], Environment],
) -> None:
    environment = plug("1 / 0")
    (problem,) = environment.components.problems
    assert "ZeroDivisionError" in problem.traceback
    row = environment.components.describe()[-1]
    assert (row.name, row.origin, row.state) == ("lab_plugin", "plugins/lab_plugin.py", "failed")
    switch(environment, "lab_plugin", on=False)
    assert open_plain(environment.layout.root).components.problems == []


def test_switching_what_is_not_there_is_told(plug: Callable[[str], Environment]) -> None:
    with pytest.raises(UsageError, match="no component or plug-in 'prob'; did you mean 'probe'"):
        switch(plug(APP), "prob", on=False)


def test_a_change_on_a_full_disk_leaves_the_old_file(
    lab: Environment, small_disk: SmallDisk
) -> None:
    before = lab.layout.config.read_bytes()
    with (
        small_disk(10),
        pytest.raises(ConcurrentError, match=r"cannot change .*env.toml: File too large"),
    ):
        change(lab.layout, "environment", "app", "x")
    assert lab.layout.config.read_bytes() == before
    assert sorted(path.name for path in lab.layout.root.glob(".*")) == []


def test_a_change_keeps_the_files_permissions(lab: Environment) -> None:
    lab.layout.config.chmod(0o640)
    change(lab.layout, "environment", "app", "x")
    assert stat.S_IMODE(lab.layout.config.stat().st_mode) == 0o640


def test_listeners_are_told_and_those_that_raise_are_reported(
    plug: Callable[[str], Environment],
) -> None:
    environment = plug(LISTENER)
    delete(environment)
    assert diary(environment) == [("opened", "lab"), ("deleted", True)]
    (problem,) = environment.components.problems
    assert problem.summary == "raised: RuntimeError: cannot let go"
    assert not environment.layout.root.exists()


def test_listeners_that_are_built_in_learn_of_a_new_environment(tmp_path: Path) -> None:
    from concurrent_framework.components import implements
    from concurrent_framework.environment import IEnvironmentListener

    class Witness(Component):
        implements(IEnvironmentListener)
        seen: str = ""

        def created(self, environment: Environment) -> None:
            self.seen = environment.title

    environment = create(
        tmp_path / "lab", opener=lambda path: open_plain(path, components=[Witness])
    )
    assert environment.components[Witness].seen == "lab"


def test_delete_removes_everything_and_leaves_no_trace(tmp_path: Path, lab: Environment) -> None:
    (lab.layout.data / "results.bin").write_bytes(b"x" * 100)
    delete(lab)
    assert os.listdir(tmp_path) == []


def test_delete_follows_no_links(tmp_path: Path, lab: Environment) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    (lab.layout.data / "link").symlink_to(tmp_path / "precious")
    delete(lab)
    assert (tmp_path / "precious" / "file").exists()


def test_an_environment_in_use_is_not_deleted(lab: Environment) -> None:
    with locked(lab.layout, "running"):
        with pytest.raises(UsageError, match=rf"is in use \(process {os.getpid()}, running since"):
            delete(lab)
        holder = holder_of(lab.layout)
        assert holder is not None
        assert (holder.pid, holder.doing) == (os.getpid(), "running")
    assert holder_of(lab.layout) is None
    assert lab.layout.config.exists()
    delete(lab)
    assert holder_of(lab.layout) is None
