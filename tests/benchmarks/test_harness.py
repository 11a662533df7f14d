"""The harness, with Concurrent and the standard library's executor, in small sizes."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from benchmarks import catalog
from benchmarks.goals import verdicts
from benchmarks.measures.metg import crossing
from benchmarks.measures.sizing import sized
from benchmarks.own import measure as own
from benchmarks.own.throughput import Flood
from benchmarks.peer import finished
from benchmarks.report import Circumstances, report
from benchmarks.running import Run, run, schedule
from benchmarks.summary import Found

if TYPE_CHECKING:
    from collections.abc import Sequence

HOW = Circumstances(1, 0.1, [], (0.1, 0.2), [])


def rates(system: str, *values: float) -> list[Run]:
    return [Run(system, "singles", {"rate": value, "tasks": 10.0}) for value in values]


def test_systems_take_turns_in_changing_order() -> None:
    assert schedule(["a", "b"], ["m"], 2) == [("a", "m"), ("b", "m"), ("b", "m"), ("a", "m")]


def test_a_run_lasts_as_long_as_its_budget() -> None:
    runs: list[int] = []

    async def call(count: int) -> float:
        runs.append(count)
        return count * 1e-3

    assert finished(sized(call, 2.0)) == (2000, 2.0)
    assert runs[:2] == [16, 16]
    assert sum(runs[:-1]) < 2 * runs[-1]


@pytest.mark.parametrize(
    ("curve", "found"),
    [
        ([(1.0, 0.25), (4.0, 0.75)], 2.0),
        ([(1.0, 0.7), (2.0, 0.4), (4.0, 0.5)], 4.0),
        ([(1.0, 0.1), (2.0, 0.2)], None),
        ([(1.0, 0.6), (2.0, 0.8)], None),
    ],
)
def test_granularity_is_where_the_efficiency_rises_for_good(
    curve: Sequence[tuple[float, float]], found: float | None
) -> None:
    assert crossing(curve, 0.5) == pytest.approx(found)


def test_the_report_has_medians_spreads_ratios_and_goals() -> None:
    runs = [
        *rates("concurrent", 100_000.0, 130_000.0, 140_000.0),
        *rates("pool", 25_000.0, 26_000.0, 30_000.0),
        Run("joblib", "singles", None),
        Run("ray", "singles", None, "it fell over"),
    ]
    found = Found(runs)
    text = report(found, [], HOW)
    assert "| **Concurrent** | 130,000 (100,000-140,000) |  |" in text
    assert "| multiprocessing.Pool | 26,000 (25,000-30,000) | 5 |" in text
    assert "| joblib | no such interface |  |" in text
    assert "| Ray tasks | failed: it fell over |  |" in text
    assert [(one.reached, one.met) for one in verdicts(found)] == [
        ("130,000 tasks/s", True),
        ("5.00 times", True),
    ]


def test_a_granularity_that_was_not_reached_is_no_goal_met() -> None:
    found = Found([Run("concurrent", "metg", {"half": 0.04, "curve": [[1.0, 0.8]]})])
    assert [(one.reached, one.met) for one in verdicts(found)] == [
        ("0.04 ms", True),
        ("not reached", False),
    ]


def test_a_system_that_is_not_installed_is_in_the_report(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = catalog.Entry("ray", "Ray tasks", "ray_tasks:RayTasks", "ray", "no_such_module")
    monkeypatch.setattr(catalog, "PEERS", (missing,))
    assert "| Ray tasks | **not installed, not measured** |" in report(Found([]), [], HOW)


@pytest.mark.parametrize("system", ["concurrent", "executor"])
@pytest.mark.parametrize("name", ["singles", "cold"])
def test_a_measurement_runs_in_a_process_of_its_own(system: str, name: str, tmp_path: Path) -> None:
    found = run(catalog.peer(system), name, 0.05, [], tmp_path)
    assert not found.problem
    assert found.figures is not None
    (key,) = (shown.key for shown in catalog.measure(name).shown)
    figure = found.figures[key]
    assert isinstance(figure, float)
    assert figure > 0


@pytest.mark.parametrize("name", ["recovery", "throughput"])
def test_a_measure_of_concurrent_alone_yields_a_table(name: str) -> None:
    found = own.measure(name, [], quick=True)
    assert found.rows
    assert all(len(row) == len(found.head) for row in found.rows)
    assert f"## {found.title}" in report(Found([]), [found], HOW)


def test_a_flood_that_is_incomplete_has_no_rate() -> None:
    flood = Flood()
    flood.tasks, flood.finished = 10, 9
    with pytest.raises(RuntimeError, match="9 of 10 tasks have ended"):
        _ = flood.rate


def test_a_failure_is_told_with_its_reason(tmp_path: Path) -> None:
    broken = catalog.Entry("broken", "Broken", "process_pool:NoSuchClass")
    found = run(broken, "singles", 0.05, [], tmp_path)
    assert found.figures is None
    assert found.problem


def test_the_command_lists_what_there_is_and_refuses_what_there_is_not() -> None:
    command = [sys.executable, "-m", "benchmarks"]
    root = Path(catalog.__file__).parent.parent
    listed = subprocess.run(
        [*command, "--list"], cwd=root, capture_output=True, text=True, check=False
    )
    assert listed.returncode == 0
    assert all(entry.key in listed.stdout for entry in catalog.PEERS)
    refused = subprocess.run(
        [*command, "--only", "speed"], cwd=root, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert "no measure 'speed'" in refused.stderr


@pytest.mark.parametrize("name", own.NAMES)
def test_each_measure_of_concurrent_alone_is_there(name: str) -> None:
    assert callable(import_module(f"benchmarks.own.{name}").measure)
