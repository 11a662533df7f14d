from __future__ import annotations

import io
import sys

import pytest
from rich.console import Console

from concurrent_framework.application.console import PlainDisplay
from concurrent_framework.cli.above import Above
from concurrent_framework.cli.progress import Bar, Figures, ProgressDisplay, display_for


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


@pytest.fixture
def console(terminal: Terminal) -> Console:
    return Console(file=terminal, force_terminal=True, width=80, color_system=None)


def test_a_bar_shows_how_far_it_is(terminal: Terminal, console: Console) -> None:
    bar = Bar("demo", console)
    with bar:
        bar.show(Figures(1200, 4800, "tile (1, 2)"))
    last = terminal.getvalue().splitlines()[-2]
    assert "demo" in last
    assert "1,200/4,800  25%" in last
    assert "tile (1, 2)" in last


def test_a_bar_without_a_total_counts(terminal: Terminal, console: Console) -> None:
    bar = Bar("demo", console)
    with bar:
        bar.show(Figures(7, 0, ""))
    last = terminal.getvalue().splitlines()[-2]
    assert " 7 " in last
    assert "%" not in last


def test_a_complete_bar_tells_the_time_it_took(terminal: Terminal, console: Console) -> None:
    bar = Bar("demo", console)
    with bar:
        bar.show(Figures(5, 5, ""))
    assert "✓ demo" in terminal.getvalue()
    assert " in " in terminal.getvalue().splitlines()[-2]


def test_printing_goes_above_the_bar_as_it_was_written(
    terminal: Terminal, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", terminal)
    before = sys.stdout
    bar = Bar("demo", console)
    long = "word " * 40
    with bar:
        assert isinstance(sys.stdout, Above)
        print("first", end="")
        print(f" [bold] {long}")
        bar.show(Figures(1, 2, ""))
    assert sys.stdout is before
    assert f"first [bold] {long}\n" in terminal.getvalue()


def test_an_unfinished_line_is_not_lost(
    terminal: Terminal, console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdout", terminal)
    bar = Bar("demo", console)
    with bar:
        print("no newline", end="")
    assert "no newline" in terminal.getvalue()


def test_piped_output_is_left_alone(console: Console, monkeypatch: pytest.MonkeyPatch) -> None:
    piped = io.StringIO()
    monkeypatch.setattr(sys, "stdout", piped)
    bar = Bar("demo", console)
    with bar:
        print("data")
    assert piped.getvalue() == "data\n"


def test_a_short_run_shows_no_bar(terminal: Terminal, console: Console) -> None:
    display = ProgressDisplay("demo", console)
    display.progress(1, 2, "")
    display.close()
    assert terminal.getvalue() == ""


@pytest.mark.parametrize("quiet", [True, False])
def test_no_bar_where_nobody_watches(quiet: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    assert isinstance(display_for("demo", quiet=quiet), PlainDisplay)


def test_no_bar_when_asked_for_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert isinstance(display_for("demo", quiet=True), PlainDisplay)
