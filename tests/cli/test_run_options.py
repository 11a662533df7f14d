from __future__ import annotations

import pytest

from concurrent_framework.cli import run as running
from concurrent_framework.cli.main import main
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
