from __future__ import annotations

from collections.abc import Sequence

import pytest

from concurrent_framework.cli import run as running
from concurrent_framework.cli import starting
from concurrent_framework.cli.main import main
from concurrent_framework.cli.node_options import read_master, read_worker
from concurrent_framework.cli.run_options import RunOptions, read_quickly

CORRECT = [
    ["hello.py"],
    ["hello.py", "--workers", "2"],
    ["--workers=2", "hello.py"],
    ["-w", "3", "-q", "hello.py:App"],
    ["pkg.mod:App", "--set", "master.lease=2", "--set", "worker.cpus=1"],
    ["hello.py", "--join", "concurrent://host:8081?key=a&token=b", "--detach"],
    ["hello.py", "--join=ipc:///tmp/x=y", "-d"],
    ["mandelbrot", "--", "--size", "9", "--", "x"],
    ["mandelbrot", "first", "--quiet", "second", "--", "--third"],
]
NEEDS_EXPLAINING = [
    [],
    ["--help"],
    ["hello.py", "--help"],
    ["hello.py", "--wrokers", "2"],
    ["hello.py", "--workers"],
    ["hello.py", "--workers", "0"],
    ["hello.py", "--workers", "many"],
    ["--", "hello.py"],
]


@pytest.mark.parametrize("words", CORRECT)
def test_the_quick_reader_and_typer_understand_the_same(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[RunOptions] = []

    def note(options: RunOptions) -> int:
        seen.append(options)
        return 0

    monkeypatch.setattr(running, "run", note)
    quick = read_quickly(words)
    monkeypatch.setattr("concurrent_framework.cli.run_options.read_quickly", lambda _words: None)
    assert main(["run", *words]) == 0
    assert seen == [quick]


@pytest.mark.parametrize("words", NEEDS_EXPLAINING)
def test_what_needs_explaining_is_left_to_typer(words: list[str]) -> None:
    assert read_quickly(words) is None


NODES = [
    ["master"],
    [
        "master",
        "--name",
        "lab",
        "-l",
        "tcp://*:8081",
        "--set",
        "master.lease=2",
        "--set=api.port=0",
    ],
    ["worker"],
    ["worker", "--join=ipc:///tmp/x=y", "--executors", "3", "--name=w1"],
    ["worker", "-j", "auto", "-e", "3", "--label", "a", "--label", "b", "--set", "worker.cpus=1"],
]
NODES_NEED_EXPLAINING = [
    ["master", "--help"],
    ["master", "lab"],
    ["master", "--nmae", "lab"],
    ["master", "--name"],
    ["master", "--", "lab"],
    ["worker", "--executors", "0"],
    ["worker", "--executors", "many"],
    ["worker", "--executors="],
    ["worker", "-h"],
    ["worker", "here"],
]


@pytest.mark.parametrize("words", NODES)
def test_nodes_are_told_the_same_by_the_quick_reader_and_typer(
    words: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, str, tuple[str, ...]]] = []

    def note(place: str, name: str, settings: Sequence[str]) -> int:
        seen.append((place, name, tuple(settings)))
        return 7

    monkeypatch.setattr(starting, "start_master", note)
    monkeypatch.setattr(starting, "start_worker", note)
    assert main(words) == 7
    monkeypatch.setattr("concurrent_framework.cli.main._quick_start", lambda _words: None)
    assert main(words) == 7
    assert seen == [seen[0]] * 2


@pytest.mark.parametrize("words", NODES_NEED_EXPLAINING)
def test_what_needs_explaining_about_nodes_is_left_to_typer(words: list[str]) -> None:
    reader = read_master if words[0] == "master" else read_worker
    assert reader(words[1:]) is None
