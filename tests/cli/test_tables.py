from __future__ import annotations

import pytest

from concurrent_framework.cli.tables import make_table, out

NAME = "an application of a rather long name"


def printed(capsys: pytest.CaptureFixture[str]) -> str:
    table = make_table("ID>", "NAME~", "PROGRESS", "A", "B", "C")
    table.add_row("17", NAME, "0123456789", "a" * 10, "b" * 10, "c" * 10)
    out().print(table)
    return capsys.readouterr().out


def test_names_stay_whole_in_a_pipe(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COLUMNS", raising=False)
    assert NAME in printed(capsys)


def test_who_reads_may_say_how_wide_it_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "70")
    shown = printed(capsys)
    assert NAME not in shown
    assert max(map(len, shown.splitlines())) <= 70
