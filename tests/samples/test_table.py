"""Tables of the samples."""

from __future__ import annotations

from concurrent_framework.samples.table import table


def test_numbers_stand_right_and_text_left() -> None:
    assert table(["name", "lines", "mean"], [["a.py", 7, 0.5], ["bc.py", 1200, 2.0]]) == (
        "name   lines  mean\n──────────────────\na.py       7  0.50\nbc.py  1,200  2.00"
    )


def test_a_table_may_be_empty() -> None:
    assert table(["name", "lines"], []) == "name  lines\n───────────"


def test_figures_with_units_and_gaps_stand_right_too() -> None:
    assert table(["", "run"], [["time", "0.50 s"], ["share", ""], ["total", "12"]]) == (
        "          run\n─────────────\ntime   0.50 s\nshare\ntotal      12"
    )
