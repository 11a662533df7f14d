"""The sample dnacurve, run on a cluster."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import dnacurve
import numpy as np

from concurrent_framework import run
from concurrent_framework.samples.dnacurve import DnaCurve
from concurrent_framework.samples.dnacurve.genome import LAMBDA, read_fasta
from concurrent_framework.samples.dnacurve.wedge import MARGIN, curvature

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from concurrent_framework.samples.dnacurve.wedge import Vectors

FINEST = """
import json, sys
import numpy as np
import psutil
from concurrent_framework import run
from concurrent_framework.samples.dnacurve import DnaCurve

class Measured(DnaCurve):
    def work_finished(self, result, task_system):
        others = psutil.Process().children(recursive=True)
        self.largest = max(process.memory_info().rss for process in others)
        super().work_finished(result, task_system)
        np.save(self.options.output.with_suffix(".npy"), self.values)

app = run(Measured, workers=2, arguments=sys.argv[1:])
print(json.dumps([len(app.windows), app.largest]))
"""
"""In a process of its own, since forked nodes count what the tests have imported as theirs."""


def check(values: Vectors, sequence: str) -> None:
    """See that these are the numbers of the package dnacurve."""
    theirs = dnacurve.CurvedDNA(sequence, "trifonov").curvature[:, MARGIN:-MARGIN]
    np.testing.assert_allclose(values, theirs, rtol=0, atol=1e-10)


def test_the_numbers_are_those_of_the_package_dnacurve(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sequence = read_fasta(LAMBDA).sequence[38_800:39_310]
    fasta, picture = tmp_path / "origin.fasta", tmp_path / "origin.png"
    fasta.write_text(f">the origin of lambda\n{sequence}\n")
    app = run(
        DnaCurve, workers=2, arguments=[str(fasta), "--step", "100", "--output", str(picture)]
    )
    check(app.values, sequence)
    assert picture.stat().st_size > 10_000
    shown = capsys.readouterr().out
    assert "510 base pairs" in shown
    assert "origin of replication" in shown


def test_over_ten_thousand_tasks_leave_every_process_small_and_give_the_same_numbers(
    tmp_path: Path,
) -> None:
    sequence = read_fasta(LAMBDA).sequence[:10_100]
    fasta = tmp_path / "part.fasta"
    fasta.write_text(f">a fifth of lambda\n{sequence}\n")
    arguments = [str(fasta), "--step", "1", "--output", str(tmp_path / "part.png")]
    done = subprocess.run(
        [sys.executable, "-c", FINEST, *arguments], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    tasks, largest = json.loads(done.stdout.splitlines()[-1])
    assert tasks == 10_100 - 2 * MARGIN > 10_000
    assert largest < 200_000_000, "bytes in the largest of master, worker, executors and host"
    values = np.load(tmp_path / "part.npy")
    np.testing.assert_allclose(values, curvature(sequence), rtol=0, atol=1e-10)
    check(values[:, 5000 : 5510 - 2 * MARGIN], sequence[5000:5510])  # all would take it a minute
