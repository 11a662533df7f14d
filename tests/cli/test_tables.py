"""How the answers of a master look on a terminal."""

from __future__ import annotations

from typing import Any

import pytest

from concurrent_framework.cli.tables import make_table, out, show_applications

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


def application(**counts: int) -> dict[str, Any]:
    zero = dict.fromkeys(("waiting", "assigned", "finished", "failed", "cancelled"), 0)
    about = {"application": 1, "name": "Hunt", "state": "running", "paused": False}
    return {**about, "progress": None, "submitted": 9, "age": 1.0, "systems": [], **zero, **counts}


def test_what_was_cancelled_is_apart_from_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    show_applications([application(failed=2)])
    assert "CANCELLED" not in capsys.readouterr().out
    show_applications([{**application(failed=2), "systems": [application(cancelled=777)]}])
    head, _, one, system = capsys.readouterr().out.strip().splitlines()
    assert head.split()[-3:] == ["FAIL", "CANCELLED", "AGE"]
    assert one.split()[-4:-2] == ["2", "0"]
    assert system.split()[-4:-2] == ["0", "777"]
