"""The console of an environment: lines from a pipe, and a terminal with completion."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from concurrent_framework.cli.console_commands import FORMS, PATH, ConsoleCommands
from concurrent_framework.cli.main import main
from concurrent_framework.environment import Environment, create
from tests.cli.conftest import COMMAND, LIMIT, bounded

GREETER = """
from concurrent_framework.components import Component, ICommand, implements

class Greet(Component):
    "Say hello."
    implements(ICommand)
    def run(self, arguments):
        if "raise" in arguments:
            raise RuntimeError("not in the mood")
        print("hello", *arguments)
        return len(arguments)
"""


class Done(NamedTuple):
    code: int
    out: str
    err: str


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "120")
    environment = create(tmp_path / "lab", app="master")
    (environment.layout.plugins / "greeter_plugin.py").write_text(GREETER, encoding="utf-8")
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "greeter_plugin", raising=False)
    return environment.layout.root


@pytest.fixture
def say(
    lab: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[[str], Done]:
    def said(lines: str) -> Done:
        monkeypatch.setattr(sys, "stdin", io.StringIO(lines))
        code = main(["console", str(lab)])
        return Done(code, *capsys.readouterr())

    return said


def test_lines_are_done_one_after_the_other(say: Callable[[str], Done], lab: Path) -> None:
    done = say("app worker\n\n# a comment\napp --json\nconfig --explain master.lease\n")
    assert (done.code, done.err) == (0, "")
    first, _, rest = done.out.partition("\n")
    assert first == f"{lab} launches worker"
    answer, _ = json.JSONDecoder().raw_decode(rest)
    assert answer["app"] == "worker"
    assert "master.lease = 10.0" in rest


def test_the_first_line_that_fails_ends_it(say: Callable[[str], Done]) -> None:
    done = say("app\nstatus\napp worker\n")
    assert done.code == 3
    assert "is not running" in done.err
    assert "launches worker" not in done.out


def test_exit_leaves_the_rest_alone(say: Callable[[str], Done]) -> None:
    assert say("exit\nnonsense\n") == Done(0, "", "")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("pluginz", "there is no command 'pluginz'; did you mean 'plugins'? `help` lists them"),
        ("config --explain 'x", "config --explain 'x: no closing quotation"),
        ("config --chek", "No such option: --chek"),
        ("delete", "there is no command 'delete'; `help` lists them"),
    ],
)
def test_what_is_mistyped_is_told(say: Callable[[str], Done], line: str, message: str) -> None:
    done = say(line)
    assert done.code == 2
    assert done.err.startswith(f"error: {message}")
    assert done.err.count("\n") == 1


def test_help_lists_all_commands_those_of_plugins_too(say: Callable[[str], Done]) -> None:
    done = say("help\nhelp backup\n")
    assert done.code == 0
    assert "  greet      Say hello.\n" in done.out
    assert "  status     what runs here, its master and workers\n" in done.out
    assert "Save the environment into one file" in done.out


def test_a_plugins_command_gets_its_arguments(say: Callable[[str], Done]) -> None:
    done = say("greet 'my world' again\nnever\n")
    assert (done.code, done.out) == (2, "hello my world again\n")
    done = say("greet raise\n")
    assert done.code == 1
    assert done.err.splitlines()[-1] == "RuntimeError: not in the mood"
    assert done.err.count("File ") == 1


@pytest.fixture
def commands(lab: Path) -> ConsoleCommands:
    return ConsoleCommands(Environment.open(lab))


@pytest.mark.parametrize(
    ("typed", "suggestions"),
    [
        ("con", ["config"]),
        ("gr", ["greet"]),
        ("plugins dis", ["disable"]),
        ("plugins disable round", ["round-robin"]),
        ("config --ex", ["--explain"]),
        ("config --explain master.sch", ["master.scheduler"]),
        ("app wo", ["worker"]),
        ("help bac", ["backup"]),
        ("logs --fo", ["--follow"]),
        ("nonsense x", []),
        ("ps --join", []),
    ],
)
def test_completion(commands: ConsoleCommands, typed: str, suggestions: list[str]) -> None:
    from prompt_toolkit.completion import CompleteEvent
    from prompt_toolkit.document import Document

    from concurrent_framework.cli.prompt import Suggestions

    found = Suggestions(commands).get_completions(Document(typed), CompleteEvent())
    assert [one.text for one in found] == suggestions


def test_every_form_is_a_command_that_exists(commands: ConsoleCommands) -> None:
    for name in commands.names():
        if name in FORMS:
            assert main([word.replace(PATH, "lab") for word in FORMS[name].words] + ["--help"]) == 0


def test_a_terminal_has_a_prompt_and_completion(lab: Path) -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    process = subprocess.Popen(
        [*COMMAND, "console", str(lab)],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=os.environ | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"},
        close_fds=True,
    )
    os.close(theirs)
    with bounded(process):  # type: ignore[arg-type]
        seen = read_until(ours, b"lab>")
        assert b"`help` lists the commands" in seen
        os.write(ours, b"gre\t")
        read_until(ours, b"greet")
        os.write(ours, b" you\r")
        read_until(ours, b"hello you")
        os.write(ours, b"\x03nonsense\r")
        read_until(ours, b"no command 'nonsense'")
        read_until(ours, b"lab>")
        os.write(ours, b"\x04")
        assert process.wait(LIMIT) == 0
    os.close(ours)


def read_until(descriptor: int, text: bytes) -> bytes:
    seen = b""
    end = time.monotonic() + LIMIT
    while text not in seen:
        ready, _, _ = select.select([descriptor], [], [], max(0.0, end - time.monotonic()))
        assert ready, seen.decode(errors="replace")
        seen += os.read(descriptor, 4096)
    return seen
