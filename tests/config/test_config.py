"""Where settings come from, which one holds, and what is said about wrong ones."""

from __future__ import annotations

import os
import pickle
import sys
from typing import TYPE_CHECKING, Any

import pytest

from concurrent_framework.config import Config, Option, Setting
from concurrent_framework.model.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

LEASE = Option("master", "lease", default=10.0, minimum=0.5, unit="seconds", doc="Patience.")
WINDOW = Option("master", "window_tasks", default=1000, minimum=1)
SCHEDULER = Option("master", "scheduler", default="push")
LABELS = Option("worker", "labels", default=())
MEMORY = Option("worker", "memory", default=0, unit="bytes")
OPTIONS: list[Option[Any]] = [LEASE, WINDOW, SCHEDULER, LABELS, MEMORY]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "env.toml"


def load(file: Path, text: str | bytes) -> Config:
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return Config.load(file)


def test_the_default_holds_when_nothing_is_set() -> None:
    config = Config()
    assert config.value(LEASE) == 10.0
    assert config.source(LEASE) == "default"
    config.check(OPTIONS)


def test_precedence_rises_from_file_to_environment_to_command_line(file: Path) -> None:
    file.write_text("[master]\nlease = 1\nwindow_tasks = 1\nscheduler = 'a'\n", encoding="utf-8")
    config = Config.load(
        file,
        {"CONCURRENT_MASTER__WINDOW_TASKS": "2", "CONCURRENT_MASTER__SCHEDULER": "b"},
        ["master.scheduler=c", "master.scheduler=d"],
    )
    config.check(OPTIONS)
    options: list[Option[Any]] = [LEASE, WINDOW, SCHEDULER]
    found = [(config.value(one), config.source(one)) for one in options]
    assert found == [
        (1.0, f"{file}:2"),
        (2, "CONCURRENT_MASTER__WINDOW_TASKS"),
        ("d", "--set"),
    ]


def test_other_variables_are_none_of_ours() -> None:
    environ = {"CONCURRENT_HOME": "/x", "PATH": "x", "CONCURRENT___X": "1", "CONCURRENT_X__": "1"}
    Config.load(environ=environ).check([])


def test_values_of_settings_may_hold_anything() -> None:
    config = Config.load(settings=["master.scheduler=a=b.c", " worker.labels = x , y "])
    assert config.value(SCHEDULER) == "a=b.c"
    assert config.value(LABELS) == ("x", "y")


@pytest.mark.parametrize("setting", ["lease=1", "master.lease", "=", ".x=1", "master.=1", ""])
def test_a_malformed_setting_is_told(setting: str) -> None:
    with pytest.raises(UsageError, match=r"--set .*: expected section.key=value, as in"):
        Config.load(settings=[setting])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[master]\nlease = 0.1", ":2: master.lease = 0.1: expected a number of seconds, also as"),
        ('[master]\nlease = "long"', ':2: master.lease = "long": expected a number of seconds'),
        ("[master]\n\nlease = true", ":3: master.lease = true: expected a number"),
        ("[worker]\nlabels = 'a'", ':2: worker.labels = "a": expected a list of texts'),
        ("[worker]\nmemory = '1 foo'", ':2: worker.memory = "1 foo": expected a number of bytes'),
        ("worker.memory = []", ":1: worker.memory = []: expected a number of bytes"),
        ("[master]\nleese = 1", ":2: master.leese: there is no such option; did you mean master.l"),
        ("[master]\nlabels = 1", ":2: master.labels: there is no such option; did you mean worker"),
        (
            "[master]\nzzz = 1",
            ":2: master.zzz: there is no such option; [master] has lease, scheduler, window_tasks",
        ),
        ("[mastr]\nlease = 1", ":2: mastr.lease: there is no section [mastr]; did you mean [mast"),
        ("[zzz]\na = 1", ":2: zzz.a: there is no section [zzz]; known are components, master, wor"),
        ("[zzz.deep]\na = 1", ":1: zzz.deep: there is no section [zzz]; known are"),
    ],
)
def test_wrong_settings_are_told_with_file_line_key_and_remedy(
    file: Path, text: str, expected: str
) -> None:
    with pytest.raises(UsageError) as caught:
        load(file, text).check(OPTIONS, free=["components"])
    assert str(caught.value).startswith(f"{file}{expected}")
    assert "\n" not in str(caught.value)


def test_wrong_variables_and_settings_are_told_by_name() -> None:
    config = Config.load(
        environ={"CONCURRENT_MASTER__LEASE": "soon"}, settings=["master.window_tasks=0"]
    )
    with pytest.raises(UsageError) as caught:
        config.check(OPTIONS)
    first, second = str(caught.value).splitlines()
    assert first.startswith("CONCURRENT_MASTER__LEASE: master.lease = soon: expected a number of")
    assert second == ("--set master.window_tasks = 0: expected a whole number (at least 1)")


def test_without_any_option_the_message_still_helps() -> None:
    with pytest.raises(UsageError, match=r"there is no section \[a\]; known are none"):
        Config.load(settings=["a.b=1"]).check([])


def test_all_problems_are_told_at_once(file: Path) -> None:
    config = load(file, "[master]\nlease = 0\nwindow_task = 3\n[wrker]\nx = 1\n")
    assert len(config.problems(OPTIONS)) == 3


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[master\nlease = 1", ":1: Expected ']' at the end of a table declaration"),
        ("[master]\nlease = \n", ":2: Invalid value"),
        ("[master]\nlease = 1\nlease = 2\n", ":3: Cannot overwrite a value"),
        ('[master]\nlease = "', ":2: Unterminated string"),
        ("[master]\n[master]\n", ":2: Cannot declare ('master',) twice"),
        (b"[master]\nname = '\xff'\n", ":2: this is no UTF-8 text"),
        ("lease = 1\n[master]", ":1: 'lease' is outside of any section; put it below a [section]"),
        ("[[master]]\nlease = 1", ":1: 'master' is outside of any section"),
    ],
)
def test_a_broken_file_is_told_with_its_line(file: Path, text: str | bytes, expected: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(file, text)
    assert str(caught.value).startswith(f"{file}{expected}")


def test_a_file_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"env.toml: there is no such file"):
        Config.load(tmp_path / "env.toml")
    with pytest.raises(UsageError, match=r"cannot be read: "):
        Config.load(tmp_path)


def test_an_option_declared_twice_in_the_same_way_is_one_option() -> None:
    again = Option("master", "lease", default=10.0, minimum=0.5, unit="seconds", doc="Other.")
    Config().check([LEASE, again])


def test_an_option_declared_twice_in_different_ways_is_told() -> None:
    other = Option("master", "lease", default=5.0)
    with pytest.raises(UsageError, match=r"master.lease is declared twice, with different mean"):
        Config().check([LEASE, other])


def test_replace_sets_and_removes() -> None:
    config = Config.load(settings=["master.lease=3", "worker.labels=a"])
    changed = config.replace({"master.lease": None, "master.window_tasks": 5}, "run()")
    assert (changed.value(LEASE), changed.value(WINDOW), changed.value(LABELS)) == (10.0, 5, ("a",))
    assert changed.source(WINDOW) == "run()"
    assert config.value(LEASE) == 3.0


def test_describe_lists_every_option_sorted_with_its_source() -> None:
    rows = list(Config.load(settings=["worker.memory=1 KiB"]).describe(OPTIONS))
    assert [(row.section, row.key) for row in rows] == [
        ("master", "lease"),
        ("master", "scheduler"),
        ("master", "window_tasks"),
        ("worker", "labels"),
        ("worker", "memory"),
    ]
    assert (rows[0].value, rows[0].source, rows[0].default, rows[0].doc) == (
        10.0,
        "default",
        10.0,
        "Patience.",
    )
    assert (rows[4].value, rows[4].source) == (1024, "--set")
    assert rows[4].expected == 'a number of bytes, also as "512 MiB"'


def test_secrets_are_not_shown() -> None:
    link = Option("worker", "join", default="", secret=True)
    pin = Option("worker", "pin", default=0, secret=True)
    config = Config.load(settings=["worker.join=token-x", "worker.pin=token-y"])
    (row,) = config.describe([link])
    assert row.value == "(not shown)"
    assert [row.value for row in Config().describe([link])] == [""]
    assert config.value(link) == "token-x"
    with pytest.raises(UsageError) as caught:
        config.check([link, pin])
    assert str(caught.value) == "--set worker.pin = (not shown): expected a whole number"
    assert "token" not in repr(config)


def test_a_configuration_travels_to_other_processes(file: Path) -> None:
    file.write_text("[master]\nlease = 2\n[worker]\nlabels = ['a', 'b']", encoding="utf-8")
    config = Config.load(file, {"CONCURRENT_WORKER__MEMORY": "1 MiB"})
    config.value(LEASE)
    for copy in (pickle.loads(pickle.dumps(config)), Config.from_json(config.to_json())):
        assert copy == config
        assert hash(copy) == hash(config)
        assert (copy.value(LEASE), copy.value(LABELS), copy.value(MEMORY)) == (
            2.0,
            ("a", "b"),
            1 << 20,
        )
        assert copy.source(LEASE) == f"{file}:2"


def test_from_json_refuses_other_data() -> None:
    with pytest.raises(ValueError, match="Expected"):
        Config.from_json(b'{"a": 1}')


def test_repr_shows_what_was_set() -> None:
    assert repr(Config()) == "<Config defaults>"
    assert repr(Config([Setting("a", "b", 1, "x")])) == "<Config a.b>"


@pytest.mark.skipif(
    sys.platform == "win32" or os.geteuid() == 0, reason="needs a user who may not read all"
)
def test_a_file_without_permission_is_told(file: Path) -> None:
    file.touch(mode=0)
    with pytest.raises(UsageError, match="cannot be read: Permission denied"):
        Config.load(file)
