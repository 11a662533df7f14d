"""The sample dnacurve, run on a cluster."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import dnacurve
import numpy as np
import pytest

from concurrent_framework import run
from concurrent_framework.samples.dnacurve import DnaCurve
from concurrent_framework.samples.dnacurve.genome import LAMBDA, read_fasta
from concurrent_framework.samples.dnacurve.wedge import MARGIN

if TYPE_CHECKING:
    from pathlib import Path

FINEST = """
import json, sys
import psutil
from concurrent_framework import run
from concurrent_framework.samples.dnacurve import DnaCurve

class Measured(DnaCurve):
    def work_finished(self, result, task_system):
        others = psutil.Process().children(recursive=True)
        self.largest = max(process.memory_info().rss for process in others)
        super().work_finished(result, task_system)

app = run(Measured, workers=2, arguments=sys.argv[1:])
print(json.dumps([len(app.windows), app.values.shape[1], app.largest]))
"""
"""In a process of its own, since forked nodes count what the tests have imported as theirs."""


@pytest.mark.parametrize("step", ["1", "100"])
def test_the_numbers_are_those_of_the_package_dnacurve(
    step: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sequence = read_fasta(LAMBDA).sequence[38_800:39_310]
    fasta, picture = tmp_path / "origin.fasta", tmp_path / "origin.png"
    fasta.write_text(f">the origin of lambda\n{sequence}\n")
    app = run(DnaCurve, workers=2, arguments=[str(fasta), "--step", step, "--output", str(picture)])
    theirs = dnacurve.CurvedDNA(sequence, "trifonov").curvature[:, MARGIN:-MARGIN]
    np.testing.assert_allclose(app.values, theirs, rtol=0, atol=1e-10)
    assert picture.stat().st_size > 10_000
    shown = capsys.readouterr().out
    assert "510 base pairs" in shown
    assert "origin of replication" in shown


def test_over_ten_thousand_tasks_leave_every_process_small(tmp_path: Path) -> None:
    fasta = tmp_path / "part.fasta"
    fasta.write_text(f">a fifth of lambda\n{read_fasta(LAMBDA).sequence[:10_100]}\n")
    arguments = [str(fasta), "--step", "1", "--output", str(tmp_path / "part.png")]
    done = subprocess.run(
        [sys.executable, "-c", FINEST, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    tasks, values, largest = map(int, done.stdout.splitlines()[-1].strip("[]").split(","))
    assert tasks == values == 10_100 - 2 * MARGIN > 10_000
    assert largest < 200_000_000, "bytes in the largest of master, worker, executors and host"
